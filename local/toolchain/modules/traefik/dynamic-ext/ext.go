// Package ext stands for Traefik's own extension point, a module whose source is not part of Traefik's module: no extensions.
package ext

// HTTP would hold further HTTP configuration.
type HTTP struct{}

// Router would hold further settings of a router.
type Router struct{}

// DeepCopyInto copies nothing.
func (in *HTTP) DeepCopyInto(out *HTTP) { *out = *in }

// DeepCopyInto copies nothing.
func (in *Router) DeepCopyInto(out *Router) { *out = *in }
