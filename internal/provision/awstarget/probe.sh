# Asks each node of a load balancer for the release of a slot, once a second, until all of them
# have answered with it three times in a row. It needs a shell, sleep, and curl.
set -f
command -v curl >/dev/null 2>&1 || { echo 'there is no curl in this image'; exit 2; }

ask() { # NODE OPTIONS... URL
  node=$1
  shift
  curl --silent --show-error --insecure --max-time 5 --connect-to "::$node:" --user-agent slipway-probe "$@" 2>&1
}

# says what is wrong, if anything is
look() {
  for node in $SLIPWAY_PROBE_NODES; do
    for url in $SLIPWAY_PROBE_URLS; do
      answer=$(ask "$node" --header "Slipway-Probe: $SLIPWAY_PROBE_MARK" --write-out ' %{http_code}' "$url")
      status=${answer##* } body=${answer% *}
      if [ "$answer" != "$SLIPWAY_RELEASE 200" ]; then
        [ "$status" = 000 ] || [ "${#body}" -le 64 ] || body='a page'
        echo "node $node at $url answered \"$body\" with status $status, not with release $SLIPWAY_RELEASE"
        return
      fi
      answer=$(ask "$node" --output /dev/null --write-out '%{http_code} %header{server}' "$url")
      case $answer in
        5[0-9][0-9]' awselb/'*) echo "node $node at $url answered with status ${answer%% *}: the application did not"; return ;;
        [1-5][0-9][0-9]' '*) ;;
        *) echo "node $node at $url: $answer"; return ;;
      esac
    done
  done
}

echo "asking for release $SLIPWAY_RELEASE at $SLIPWAY_PROBE_NODES"
row=0 round=0 last=
while :; do
  wrong=$(look)
  if [ -z "$wrong" ]; then
    row=$((row + 1))
  else
    row=0
    [ "$wrong" = "$last" ] || echo "$wrong"
  fi
  last=$wrong round=$((round + 1))
  if [ "$row" -ge 3 ]; then
    echo "release $SLIPWAY_RELEASE answered at $SLIPWAY_PROBE_NODES, three times in a row"
    exit 0
  fi
  if [ "$round" -ge "$SLIPWAY_PROBE_ROUNDS" ]; then
    echo "gave up after $round rounds"
    exit 1
  fi
  sleep 1
done
