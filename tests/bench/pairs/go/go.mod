module peer

go 1.24

require github.com/brant-db/brant-go v0.0.0

replace github.com/brant-db/brant-go => ../../../../bindings/go
