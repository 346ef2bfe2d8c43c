module github.com/brant-db/brant-go/gonum

go 1.24

require (
	github.com/brant-db/brant-go v0.1.0
	gonum.org/v1/gonum v0.16.0
)

replace github.com/brant-db/brant-go => ../
