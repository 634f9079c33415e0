// Package rights says what the aws target needs to be allowed in IAM: one table of the operations
// that the target calls, and the policies that are made of it. The policies are written to
// examples/aws by "make generate"; a test compares the table with the calls in the source.
//
// Actions, the resources they can be limited to and the condition keys that they know are those
// of AWS's Service Authorization Reference.
package rights
