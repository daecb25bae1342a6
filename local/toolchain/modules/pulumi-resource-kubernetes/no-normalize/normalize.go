// Package normalize replaces Flux' normalization of objects, which imports API groups that k8s.io/api no longer has. The provider uses
// only Flux' functions for managed fields, which call none of it.
package normalize

import (
	"errors"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

var errLeftOut = errors.New("this provider is built without Flux' normalization")

// UnstructuredList is called by Flux' manager, which the provider does not use.
func UnstructuredList([]*unstructured.Unstructured) error { return errLeftOut }

// DryRunUnstructured is called by Flux' manager, which the provider does not use.
func DryRunUnstructured(*unstructured.Unstructured) error { return errLeftOut }
