// Package register replaces External Secrets' list of generators: none is used.
package register
