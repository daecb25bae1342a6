// Package dns replaces cert-manager's DNS-01 solvers: the embedded cluster proves its hosts over http alone, and the solvers
// would pull in the SDKs of five clouds.
package dns

import (
	"context"
	"errors"

	cmacme "github.com/cert-manager/cert-manager/pkg/apis/acme/v1"
	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"github.com/cert-manager/cert-manager/pkg/controller"
)

var errNone = errors.New("this cert-manager is built without DNS-01 solvers")

// Solver solves nothing.
type Solver struct{}

// NewSolver returns one that refuses.
func NewSolver(*controller.Context) (*Solver, error) { return &Solver{}, nil }

// Present refuses.
func (s *Solver) Present(context.Context, cmapi.GenericIssuer, *cmacme.Challenge) error {
	return errNone
}

// Check refuses.
func (s *Solver) Check(context.Context, cmapi.GenericIssuer, *cmacme.Challenge) error { return errNone }

// CleanUp has nothing to do.
func (s *Solver) CleanUp(context.Context, *cmacme.Challenge) error { return nil }
