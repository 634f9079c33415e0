// Package awstarget builds on AWS: regions, environments and deployment slots on DynamoDB,
// KMS, S3, VPC, Elastic Load Balancing, ECS on Fargate and Aurora PostgreSQL. It is the only
// package that speaks to AWS.
//
// # Where things are
//
// An installation has a home: the AWS region of the settings. A table there, the directory,
// holds the installation's id and the record of every region, so that a region's name leads
// to the AWS region where everything else of it is: a control table with the records of
// environments and slots and with the leases, a key, a bucket for logs.
//
// Every noun is made of parts, which are listed with what each needs in one place:
// region_parts.go and environment_parts.go. A part can be put, checked and removed again and
// again; what it made is saved in the noun's row before anything is waited for.
//
// # How an AWS service is called
//
// One file per service. find… returns what is there or errAbsent, status… what state it is in,
// wait… waits for one. A create is repeated by the SDK only where AWS refuses a second one: a
// unique name or a client token. Else it is sent once, with the tags that it is looked up by
// before it is ever sent again.
package awstarget
