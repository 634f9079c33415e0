// Command schema prints the provider's schema in the format of "terraform providers schema
// -json". It asks the provider in process, so that the documentation that tfplugindocs makes
// of it is complete whatever Terraform is installed, and no Terraform is needed.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	tfjson "github.com/hashicorp/terraform-json"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/slipway-platform/terraform-provider-slipway/provider"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "schema:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	server, err := providerserver.NewProtocol6WithError(provider.New("docs")())()
	if err != nil {
		return fmt.Errorf("make provider server: %w", err)
	}
	answer, err := server.GetProviderSchema(ctx, &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		return fmt.Errorf("ask for the schema: %w", err)
	}
	for _, d := range answer.Diagnostics {
		if d.Severity == tfprotov6.DiagnosticSeverityError {
			return fmt.Errorf("ask for the schema: %s: %s", d.Summary, d.Detail)
		}
	}
	converted, err := convertProvider(answer)
	if err != nil {
		return err
	}
	out, err := json.Marshal(tfjson.ProviderSchemas{
		FormatVersion: "1.0",
		Schemas:       map[string]*tfjson.ProviderSchema{"slipway": converted},
	})
	if err != nil {
		return fmt.Errorf("write schema: %w", err)
	}
	_, err = os.Stdout.Write(append(out, '\n'))
	return err
}
