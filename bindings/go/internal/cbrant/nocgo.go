//go:build !cgo

package cbrant

// brant is a C library: this package needs cgo. Build with CGO_ENABLED=1 and a C compiler; when cross-compiling, with CC set to one
// for the target. The name below is there so that the compiler says so.
var _ = brant_needs_cgo_build_with_CGO_ENABLED_1_and_a_C_compiler
