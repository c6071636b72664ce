# A device on the network: two network namespaces joined by a virtual cable. The emulator is in this one, at 10.77.0.1; the
# device in the other, at 10.77.0.2. Everything is removed when this script ends.
# Arguments: the emulator, the program that the device runs, a folder, how long a session starts.
set -eu
if [ "$1" != inside ]; then
    # When the first process ends, all others end with it. Root needs a user namespace only in some containers; a user always
    # needs one, and not every system permits it.
    flags="--net --mount --pid --fork --kill-child"
    unshare $flags true 2>/dev/null || flags="$flags --map-root-user"
    if ! unshare $flags true; then
        echo "This system permits no network namespace, neither for this user nor in a user namespace. Run the tests as root, in a" >&2
        echo "container with CAP_SYS_ADMIN (docker run --privileged), or with user.max_user_namespaces not 0 and" >&2
        echo "kernel.apparmor_restrict_unprivileged_userns 0" >&2
        exit 1
    fi
    exec unshare $flags sh "$0" inside "$@"
fi
shift
unset ALL_PROXY all_proxy HTTP_PROXY http_proxy HTTPS_PROXY https_proxy # no proxy is reachable from here
emulator=$1 program=$2 folder=$3 startup=$4

mount -t tmpfs none /run # where `ip netns` keeps its names
ip netns add device
ip link set lo up
ip link add cable type veth peer name eth0 netns device
ip addr add 10.77.0.1/24 dev cable
ip link set cable up
ip -n device addr add 10.77.0.2/24 dev eth0
ip -n device link set eth0 up
device() { ip netns exec device "$@"; }
curl_there() { device curl -q --silent --show-error --noproxy '*' --max-time 30 --cacert "$folder/ca.pem" "$@"; }

rm -f "$folder/ready.json"
"$emulator" --tls --listen 0.0.0.0:8722 --tls-name studio.test --startup "$startup" \
    --ca-file "$folder/ca.pem" --ready-file "$folder/ready.json" >"$folder/emulator.log" 2>&1 &
trap 'kill $!; wait $!' EXIT
tries=0
until [ -e "$folder/ready.json" ]; do
    tries=$((tries + 1))
    [ $tries -lt 300 ] || { echo "the emulator did not start:"; cat "$folder/emulator.log"; exit 1; }
    sleep 0.1
done

url=https://10.77.0.1:8722
grep -q "$url" "$folder/emulator.log" || { echo "the start-up text does not contain $url:"; cat "$folder/emulator.log"; exit 1; }

echo "the device at $url:"
device env ARR_ACCOUNT_DOMAIN=$url ARR_SERVICE_ENDPOINT=$url ARR_CA_FILE="$folder/ca.pem" ARR_POLL_INTERVAL_MS=1000 \
    "$program"

echo "by the name that the certificate was given:"
curl_there --fail --resolve studio.test:8722:10.77.0.1 \
    -H "Authorization: Bearer $ARR_ACCOUNT_ID:$ARR_ACCOUNT_KEY" \
    "https://studio.test:8722/accounts/$ARR_ACCOUNT_ID/token" -o "$folder/token.json"

status=$(curl_there -o "$folder/refused.json" -w '%{http_code}' "$url/emulator/requests")
[ "$status" = 403 ] || { echo "a control call from the device was answered $status, not 403"; exit 1; }
