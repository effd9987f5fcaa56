// Package pages is what visitors and affiliates see of the gateway itself: a link that
// leads nowhere, a link that has expired, a gateway that cannot answer yet. Each page is
// one self-contained HTML text, rendered ahead of the requests that it answers.
package pages
