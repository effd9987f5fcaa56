// Package group is a group commit: what many requests bring at the same time is made safe at
// once, and each request waits for its own answer. Clicks and events of the billing system are
// stored through it. What an item is, how it is stored and what a failure means is the
// caller's; nothing here knows a disk.
package group
