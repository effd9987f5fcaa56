// Package gateway is the live tracker: it answers old links by the published link map,
// after each click is safe on disk, and books what a billing system tells it.
//
// [New] wires it, [App.Run] serves until its context ends. What a URL means is decided
// in package mapping alone; recording and draining live in gateway/click, the tracking API
// and what it books in gateway/track, the group commit under both in gateway/group, what
// visitors see in gateway/pages, what ops sees in gateway/admin. fiber and fasthttp are used
// here and below, nowhere else. The gateway never imports migrate.
package gateway
