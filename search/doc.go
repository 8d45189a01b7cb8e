// Package search makes pages be found.
package search
