// Package bench measures what strata promises of its speed and keeps a history of
// the figures. What is promised is a ratio of two things that are measured in the
// same run, so that it holds on any machine. The measurements are tests with the
// build tag bench; `make bench` runs them.
package bench
