//go:build cgo && !brant_system && !(linux && amd64)

package cbrant

// The module has no archive for this platform. Install brant's C library and build with -tags brant_system, which finds it by
// pkg-config. The name below is there so that the compiler says so.
var _ = brant_has_no_archive_for_this_platform_install_it_and_build_with_tags_brant_system
