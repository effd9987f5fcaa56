// Package storetest holds every implementation of [store.Store] to one contract, and
// starts a real redis-server for tests. It is imported by tests only.
package storetest
