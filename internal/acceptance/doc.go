// Package acceptance tries the whole provider as its users do: the real Terraform, the real
// provider and its agent as processes of their own that can be killed, real PostgreSQL
// servers, and an application that is reached over HTTPS. It holds tests only, and a
// benchmark; they run with TF_ACC=1 on Linux, whose /proc tells what was left behind.
package acceptance
