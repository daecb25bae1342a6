// Package register replaces External Secrets' list of providers, most of which pull in an SDK of their own: AWS is the
// one that the tests have.
package register

import (
	// Registers itself.
	_ "github.com/external-secrets/external-secrets/pkg/provider/aws"
)
