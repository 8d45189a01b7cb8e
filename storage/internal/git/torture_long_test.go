//go:build torture

package git

import "time"

// churnTime is how long TestChurn goes on when told to take its time: go test -tags torture.
const churnTime = 10 * time.Minute
