// Answers one ACME HTTP-01 challenge: cert-manager starts it in a pod, with these arguments, for as long as that lasts.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"github.com/cert-manager/cert-manager/pkg/issuer/acme/http/solver"
	"github.com/go-logr/logr"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	answer := &solver.HTTP01Solver{}
	flag.IntVar(&answer.ListenPort, "listen-port", 8089, "port to listen on")
	flag.StringVar(&answer.Domain, "domain", "", "domain that is proven")
	flag.StringVar(&answer.Token, "token", "", "token of the challenge")
	flag.StringVar(&answer.Key, "key", "", "key that answers it")
	flag.Parse()
	ended := make(chan error, 1)
	go func() { ended <- answer.Listen(logr.Discard()) }()
	select {
	case <-ctx.Done():
	case err := <-ended:
		if !errors.Is(err, http.ErrServerClosed) {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}
