package awstest

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"regexp"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// gateways lets a NAT gateway that is removed be on its way out for one look, as it is for a minute or
// two on AWS (DeleteNatGateway), and gives its address free: moto's is gone at once, and keeps the address.
type gateways struct {
	*cloud
	mu      sync.Mutex
	leaving map[string]bool
}

// gatewayState is the id of a gateway and its state, in the order of the service's model.
var gatewayState = regexp.MustCompile(`(?s)<natGatewayId>([^<]*)</natGatewayId>.*?<state>[^<]*</state>`)

func (g *gateways) piece(c Call, moto http.Handler) http.Handler {
	switch {
	case c.Service != "ec2":
		return nil
	case c.Operation == "DeleteNatGateway":
		g.leave(c.Region, c.Form.Get("NatGatewayId"))
		return nil
	case c.Operation != "DescribeNatGateways":
		return nil
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		moto.ServeHTTP(answer, r)
		w.Header().Set("Content-Type", answer.Header().Get("Content-Type"))
		w.WriteHeader(answer.Code)
		_, _ = w.Write(g.shown(answer.Body.Bytes()))
	})
}

// leave notes that a gateway is removed. Of one that is not there moto says so.
func (g *gateways) leave(region, id string) {
	client := ec2.NewFromConfig(g.config(region))
	out, err := client.DescribeNatGateways(g.running, &ec2.DescribeNatGatewaysInput{NatGatewayIds: []string{id}})
	if err != nil || len(out.NatGateways) != 1 || out.NatGateways[0].State != types.NatGatewayStateAvailable {
		return
	}
	for _, a := range out.NatGateways[0].NatGatewayAddresses {
		_, _ = client.DisassociateAddress(g.running, &ec2.DisassociateAddressInput{PublicIp: a.PublicIp}) // the next gateway tells
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.leaving == nil {
		g.leaving = map[string]bool{}
	}
	g.leaving[id] = true
}

// shown is an answer in which those that are on their way out are.
func (g *gateways) shown(body []byte) []byte {
	g.mu.Lock()
	defer g.mu.Unlock()
	return gatewayState.ReplaceAllFunc(body, func(item []byte) []byte {
		id := string(gatewayState.FindSubmatch(item)[1])
		if !g.leaving[id] {
			return item
		}
		delete(g.leaving, id)
		return bytes.Replace(item, []byte("<state>deleted<"), []byte("<state>deleting<"), 1)
	})
}
