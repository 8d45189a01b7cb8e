//go:build !torture

package git

import "time"

// churnTime is how long TestChurn goes on; see torture_long_test.go.
const churnTime = 4 * time.Second
