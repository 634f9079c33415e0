package provider

import (
	"context"
	"fmt"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/list/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

var (
	_ list.ListResourceWithConfigure      = (*listResource)(nil)
	_ list.ListResourceWithValidateConfig = (*listResource)(nil)
)

// listResource finds the objects of one kind that a target holds, whoever owns them.
type listResource struct {
	*dataSource
	description string
	// within is the attribute that names what to look in, "" for the whole target; inside
	// describes it, and checkInside refuses what is no id of it.
	within, inside string
	checkInside    func(id string) error
	// ids returns the ids of the objects, those in one place where it is not "".
	ids func(ctx context.Context, c *client, within string) ([]string, error)
}

// Metadata names the resource that is listed.
func (l *listResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = l.typeName
}

// Configure is called before anything is listed.
func (l *listResource) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	l.take(req.ProviderData, &resp.Diagnostics)
}

func (l *listResource) ListResourceConfigSchema(_ context.Context, _ list.ListResourceSchemaRequest, resp *list.ListResourceSchemaResponse) {
	resp.Schema = schema.Schema{MarkdownDescription: l.description, Attributes: map[string]schema.Attribute{}}
	if l.within != "" {
		resp.Schema.Attributes[l.within] = schema.StringAttribute{Optional: true, MarkdownDescription: l.inside}
	}
}

func (l *listResource) ValidateListResourceConfig(ctx context.Context, req list.ValidateConfigRequest, resp *list.ValidateConfigResponse) {
	if l.within == "" {
		return
	}
	var id types.String
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root(l.within), &id)...)
	if !given(id) {
		return
	}
	if err := l.checkInside(id.ValueString()); err != nil {
		invalid(&resp.Diagnostics, invalidValue, path.Root(l.within), "%v", err)
	}
}

// List finds the objects in the order of their ids.
func (l *listResource) List(ctx context.Context, req list.ListRequest, stream *list.ListResultsStream) {
	var diags diag.Diagnostics
	var within types.String
	if l.within != "" {
		diags.Append(req.Config.GetAttribute(ctx, path.Root(l.within), &within)...)
	}
	if !l.available(l.noun, "list", &diags) {
		stream.Results = list.ListResultsStreamDiagnostics(diags)
		return
	}
	ids, _, err := found(l.ids(ctx, l.client, within.ValueString()))
	if err != nil {
		l.report(ctx, &diags, "list", within.ValueString(), err)
		stream.Results = list.ListResultsStreamDiagnostics(diags)
		return
	}
	slices.Sort(ids)
	if n := int(req.Limit); n > 0 && n < len(ids) {
		ids = ids[:n]
	}
	stream.Results = func(push func(list.ListResult) bool) {
		for _, id := range ids {
			if !push(l.result(ctx, req, id)) {
				return
			}
		}
	}
}

// result is one object that was found. One that is broken is found all the same.
func (l *listResource) result(ctx context.Context, req list.ListRequest, id string) list.ListResult {
	r := req.NewListResult(ctx)
	r.DisplayName = fmt.Sprintf("%s %s", l.title, id)
	r.Diagnostics.Append(r.Identity.SetAttribute(ctx, pathID, id)...)
	if !req.IncludeResource {
		return r
	}
	model, err := l.read(ctx, l.client, id, &r.Diagnostics)
	if err != nil {
		// An error would end the search at one object that is broken.
		r.Diagnostics.AddWarning(l.summary("read"), l.detail(ctx, id, err))
		return r
	}
	r.Diagnostics.Append(r.Resource.Set(ctx, model)...)
	return r
}
