// Package ecs replaces Traefik's provider for Amazon ECS, which no cluster here can use: one compiler run over the EC2 SDK
// that it needs takes 3 GB of memory.
package ecs

import (
	"errors"

	"github.com/traefik/traefik/v3/pkg/config/dynamic"
	"github.com/traefik/traefik/v3/pkg/safe"
)

// ProviderName is the provider's name.
const ProviderName = "ecs"

// Provider has no settings.
type Provider struct{}

// SetDefaults sets none.
func (p *Provider) SetDefaults() {}

// Init refuses.
func (p *Provider) Init() error { return errors.New("this Traefik is built without the ECS provider") }

// Provide is never called, as Init refuses.
func (p *Provider) Provide(chan<- dynamic.Message, *safe.Pool) error { return nil }
