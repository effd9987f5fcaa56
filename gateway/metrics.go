package gateway

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"carryover/gateway/track"
	"carryover/mapping"
)

// metrics are counted on a registry of their own. The values of labels are fixed lists: nothing
// from a request becomes one.
type metrics struct {
	registry    *prometheus.Registry
	requests    []prometheus.Counter // by mapping.Outcome
	responses   [6]prometheus.Counter
	batchClicks prometheus.Histogram
	batchTime   prometheus.Histogram
	storeErrors prometheus.Counter
	calls       [len(track.Endpoints)][6]prometheus.Counter // by status class
	booked      prometheus.Counter
	bookTime    prometheus.Histogram
}

// classes of statuses, by the first digit.
var classes = [...]string{"other", "1xx", "2xx", "3xx", "4xx", "5xx"}

func classOf(status int) int {
	if class := status / 100; class >= 1 && class <= 5 {
		return class
	}
	return 0
}

func newMetrics() *metrics {
	commitTimes := prometheus.ExponentialBuckets(0.0001, 2.5, 12) // seconds
	m := &metrics{
		registry: prometheus.NewRegistry(),
		booked: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "carryover_tracking_booked_total", Help: "Calls of the tracking API that went through the book.",
		}),
		bookTime: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "carryover_tracking_commit_seconds", Help: "Time of a commit of events.", Buckets: commitTimes,
		}),
		batchClicks: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "carryover_click_batch_clicks", Help: "Clicks that shared a commit.",
			Buckets: []float64{1, 2, 4, 8, 16, 32, 64, 128, 256, 512},
		}),
		batchTime: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "carryover_click_commit_seconds", Help: "Time of a commit of clicks.", Buckets: commitTimes,
		}),
		storeErrors: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "carryover_store_errors_total", Help: "Errors of the store of the link map.",
		}),
	}
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "carryover_requests_total", Help: "Requests for links, by what they were answered.",
	}, []string{"outcome"})
	for _, name := range mapping.Outcomes() {
		m.requests = append(m.requests, requests.WithLabelValues(name))
	}
	responses := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "carryover_responses_total", Help: "Public responses, by status class.",
	}, []string{"class"})
	calls := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "carryover_tracking_calls_total", Help: "Calls of the tracking API, by endpoint and status class.",
	}, []string{"endpoint", "class"})
	for i, class := range classes {
		m.responses[i] = responses.WithLabelValues(class)
		for e, name := range track.Endpoints {
			m.calls[e][i] = calls.WithLabelValues(name, class)
		}
	}
	m.registry.MustRegister(requests, responses, calls, m.booked, m.bookTime, m.batchClicks, m.batchTime, m.storeErrors,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// registerGauges adds what other parts of a know, read when the metrics are.
func (m *metrics) registerGauges(a *App) {
	gauge := func(name, help string, fn func() float64) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, fn))
	}
	count := func(result string, fn func() uint64) {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "carryover_clicks_total", Help: "Clicks by what became of them; late ones were dropped first, and recorded after all.",
			ConstLabels: prometheus.Labels{"result": result},
		}, func() float64 { return float64(fn()) }))
	}
	count("recorded", func() uint64 { n, _, _ := a.recorder.Counts(); return n })
	count("dropped", func() uint64 { _, n, _ := a.recorder.Counts(); return n })
	count("late", func() uint64 { _, _, n := a.recorder.Counts(); return n })
	if a.stream != nil && a.o.Book != nil {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "carryover_stream_refused_total", Help: "Entries of the click stream in Redis that no gateway of this program made.",
		}, func() float64 { n, _ := a.stream.Refused(); return float64(n) }))
	}
	gauge("carryover_clicks_dropping", "1 while the disk cannot take clicks.", func() float64 { return boolGauge(a.recorder.Fault() != nil) })
	gauge("carryover_drain_lag_seconds", "Age of the oldest click that has not reached the book.",
		func() float64 { age, _ := a.drainer.Lag(); return age.Seconds() })
	gauge("carryover_drain_backlog_clicks", "About how many clicks have not reached the book.",
		func() float64 { _, n := a.drainer.Lag(); return float64(n) })
	gauge("carryover_map_epoch", "Epoch of the live map; 0: there is none.", func() float64 { return float64(a.Health().Epoch) })
	gauge("carryover_map_age_seconds", "Time since the live map was published.", func() float64 { return a.Health().MapAge })
	gauge("carryover_map_entries", "Facts in the live map.", func() float64 {
		if l := a.maps.live.Load(); l != nil {
			return float64(l.epoch.Entries())
		}
		return 0
	})
	gauge("carryover_map_from_snapshot", "1 while the map is the last good one from disk.", func() float64 {
		l := a.maps.live.Load()
		return boolGauge(l != nil && l.from == fromSnapshot)
	})
	gauge("carryover_map_refused", "1 while the newest published map cannot be served.",
		func() float64 { return boolGauge(a.maps.refused.Load() != nil) })
	if a.tracking.forwarder != nil {
		gauge("carryover_forward_waiting_events", "Events on their way to FirstPromoter; -1: not known.",
			func() float64 { n, _ := a.tracking.forwarding(); return float64(n) })
		gauge("carryover_forward_lag_seconds", "Age of the oldest event on its way to FirstPromoter.",
			func() float64 { _, age := a.tracking.forwarding(); return age.Seconds() })
	}
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "carryover_tracking_refused_dropped_total", Help: "Refused events that were let go for newer ones, though nobody had settled them.",
	}, func() float64 { return float64(a.tracking.droppedRefusals()) }))
	gauge("carryover_tracking_failing", "1 while events cannot be booked.", func() float64 { return boolGauge(a.tracking.fault() != nil) })
	gauge("carryover_ready", "1 when /readyz answers 200.", func() float64 { return boolGauge(a.Health().Ready) })
}

func boolGauge(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func (m *metrics) countResponse(status int) {
	m.responses[classOf(status)].Inc()
}

func (m *metrics) countCall(e track.Endpoint, status int) { m.calls[e][classOf(status)].Inc() }

func (m *metrics) observeBooking(events int, took time.Duration) {
	m.booked.Add(float64(events))
	m.bookTime.Observe(took.Seconds())
}

func (m *metrics) observeCommit(clicks int, took time.Duration) {
	m.batchClicks.Observe(float64(clicks))
	m.batchTime.Observe(took.Seconds())
}
