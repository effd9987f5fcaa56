package click

import (
	_ "embed"
	"regexp"
	"strings"
	"sync"
)

// agent is what a user agent says about itself; the zero value says nothing.
type agent struct{ verdict, reason string }

// previewers fetch a link to show a card of it: the share is real, the visit is not.
// iMessage calls itself facebookexternalhit and Twitterbot at once.
var previewers = []string{
	"Slackbot-LinkExpanding", "Slack-ImgProxy", "Slackbot", "facebookexternalhit", "Facebot", "Twitterbot", "WhatsApp",
	"LinkedInBot", "Discordbot", "TelegramBot", "SkypeUriPreview", "MicrosoftPreview", "BingPreview", "Google Web Preview",
	"Google-PageRenderer", "Yahoo Link Preview", "Snap URL Preview", "SnapURLPreview", "Embedly", "Iframely", "vkShare", "Viber",
	"linepreview", "redditbot", "Mastodon", "BlueskyPreviewBot", "Bluesky Cardyb", "Chatwork LinkPreview", "BufferLinkPreviewBot",
	"Orlo-LinkPreview", "page-preview-tool", "ArenaUnfurlBot", "Mattermost-Bot", "Cisco-Webex", "kakaotalk-scrap", "Tumblr/", "Notion/",
}

//go:embed crawlers/literals.txt
var crawlerLiterals string

//go:embed crawlers/regexps.txt
var crawlerRegexps string

type crawlerList struct {
	literals []string
	regexps  *regexp.Regexp // all that are no plain text; in one, they are tried in one pass
}

// crawlers reads the embedded list when the first click is judged. Plain searches for
// 1,464 literals take 0.1 ms; the same as one regular expression take 2.4 ms.
var crawlers = sync.OnceValue(func() crawlerList {
	regexps := strings.Split(strings.TrimSpace(crawlerRegexps), "\n")
	return crawlerList{
		literals: strings.Split(strings.TrimRight(crawlerLiterals, "\n"), "\n"),
		regexps:  regexp.MustCompile("(?s)(?:" + strings.Join(regexps, ")|(?:") + ")"),
	}
})

func agentOf(userAgent string) agent {
	if strings.TrimSpace(userAgent) == "" {
		return agent{Bot, "no user agent"}
	}
	for _, p := range previewers {
		if strings.Contains(userAgent, p) {
			return agent{Preview, "user agent has " + p}
		}
	}
	list := crawlers()
	for _, l := range list.literals {
		if strings.Contains(userAgent, l) {
			return agent{Bot, "user agent has " + strings.TrimSpace(l)}
		}
	}
	if m := list.regexps.FindString(userAgent); m != "" {
		return agent{Bot, "user agent has " + strings.TrimSpace(m)}
	}
	return agent{}
}
