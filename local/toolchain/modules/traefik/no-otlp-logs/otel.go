// Package logs: this file replaces Traefik's logs over OTLP, written against an API that OpenTelemetry has changed since. The logs on the
// standard output, and traces and metrics over OTLP, stay.
package logs

import (
	"context"
	"errors"

	"github.com/rs/zerolog"
	"github.com/traefik/traefik/v3/pkg/observability/types"
)

// ErrNoOTLP is returned when logs over OTLP are configured.
var ErrNoOTLP = errors.New("this Traefik is built without logs over OTLP")

// SetupOTelLogger refuses.
func SetupOTelLogger(_ context.Context, logger zerolog.Logger, config *types.OTelLog) (zerolog.Logger, error) {
	if config == nil {
		return logger, nil
	}
	return logger, ErrNoOTLP
}
