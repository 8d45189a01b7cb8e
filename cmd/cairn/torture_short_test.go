//go:build !torture

package main

import "time"

// How long the proofs of torture_test.go last: in every test run, briefly. See torture_long_test.go.
const (
	killRounds  = 3
	workRounds  = 1 // of each kind of work that is killed
	powerRounds = 1 // of each way to lose what is not fsynced
	pageRounds  = 2
	slowClients = 400
	spoilRounds = 1
	spoilWays   = 1 // to damage an object, of four
	faultStep   = 5 // every fifth call is made to fail
)

// sessionTime is how long writers write, at most, after the first was told something and before something befalls them.
const sessionTime = 1200 * time.Millisecond

// readyWithin is how soon a wiki must be ready again. The promise is ten seconds, which all the other tests beside this
// one may stretch.
const readyWithin = time.Minute

// faultDeeds are what is done while the disk is full or fails.
var faultDeeds = []string{"form", "push"}
