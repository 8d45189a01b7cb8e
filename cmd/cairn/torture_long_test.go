//go:build torture

package main

import "time"

// The long form: go test -tags torture -timeout 3h ./... takes about an hour.
const (
	killRounds  = 200
	workRounds  = 30
	powerRounds = 30
	pageRounds  = 30
	slowClients = 10_000
	spoilRounds = 20
	spoilWays   = 4
	faultStep   = 1
)

const sessionTime = 3 * time.Second

const readyWithin = 10 * time.Second

var faultDeeds = []string{"form", "api", "put", "push", "move"}
