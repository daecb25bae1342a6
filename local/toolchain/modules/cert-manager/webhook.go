package main

import (
	"context"
	"time"

	"github.com/cert-manager/cert-manager/internal/apis/config/shared"
	config "github.com/cert-manager/cert-manager/internal/apis/config/webhook"
	"github.com/cert-manager/cert-manager/internal/webhook"
	"github.com/cert-manager/cert-manager/pkg/logs"
)

const (
	namespace   = "cert-manager"
	webhookName = "cert-manager-webhook"
	// Holds the authority that the webhook makes for itself and that the injector puts into its configurations.
	webhookSecret = "cert-manager-webhook-ca"
)

func runWebhook(ctx context.Context) error {
	server, err := webhook.NewCertManagerWebhookServer(logs.FromContext(ctx), config.WebhookConfiguration{
		SecurePort:           10250,
		HealthzPort:          6080,
		MetricsListenAddress: "0",
		TLSConfig: shared.TLSConfig{
			MinTLSVersion: "VersionTLS12",
			Dynamic: shared.DynamicServingConfig{
				SecretNamespace: namespace,
				SecretName:      webhookSecret,
				DNSNames:        []string{webhookName, webhookName + "." + namespace, webhookName + "." + namespace + ".svc"},
				LeafDuration:    7 * 24 * time.Hour,
			},
		},
	})
	if err != nil {
		return err
	}
	return server.Run(ctx)
}
