// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "command.hpp"

namespace ghmesh::cli {

namespace {

constexpr std::array kAskFlags{
    FlagSpec{"listen", 0, "ADDR:PORT", "the node's HTTP listener [127.0.0.1:8418]"},
    FlagSpec{"admin", 0, "ADDR:PORT", "the node's admin listener [127.0.0.1:8417]"},
    FlagSpec{"ready-file", 0, "PATH", "the ready file of the node to ask; it names both listeners"},
};
constexpr std::array kReportFlags{
    kAskFlags[0],
    kAskFlags[1],
    kAskFlags[2],
    FlagSpec{"json", 0, "", "the node's JSON as it is"},
};
constexpr std::array kExplainFlags{
    kAskFlags[0],
    kAskFlags[1],
    kAskFlags[2],
    FlagSpec{"json", 0, "", "the node's JSON as it is"},
    FlagSpec{"accept", 0, "TYPE", "the Accept of the client that is asked about"},
};
constexpr std::array kGetFlags{
    kAskFlags[0],
    kAskFlags[1],
    kAskFlags[2],
    FlagSpec{"include", 'i', "", "print the status line and fields, too"},
    FlagSpec{"header", 'H', "NAME: VALUE", "a request field; may be repeated"},
};
constexpr std::array kDemoFlags{
    FlagSpec{"latency", 0, "MS", "how far away the stand-in is [50]"},
    FlagSpec{"nodes", 0, "N", "how many runners there are, 2 to 50 [5]"},
    FlagSpec{"keys", 0, "K", "how many questions each of them has, 1 to 100 [100]"},
};
constexpr std::array kSimulateFlags{
    FlagSpec{"nodes", 0, "N", "how many members, 2 to 1000 [50]"},
    FlagSpec{"keys", 0, "K", "how many answers they ask for, 1 to 100000 [1000]"},
    FlagSpec{"minutes", 0, "M", "of virtual time, 4 to 240; the first 3 are not counted [20]"},
    FlagSpec{"tokens", 0, "T", "how many tokens the members use in turn, 1 to 1000 [1]"},
    FlagSpec{"life", 0, "SECONDS", "the longest life of a member, the shortest is a tenth of it [1200]"},
    FlagSpec{"no-churn", 0, "", "members stay; else who ends is replaced, and every second one is killed"},
    FlagSpec{"seed", 0, "S", "another seed is another run, the same seed the same run [1]"},
    FlagSpec{"json", 0, "", "as JSON"},
};
constexpr std::array kInitFlags{
    FlagSpec{"strict", 0, "", "a node that cannot be had fails the step"},
    FlagSpec{"wait", 0, "SECONDS", "how long the node may take to be ready and to meet the others [2]"},
    FlagSpec{"state-dir", 0, "DIR", "where the session lives [$RUNNER_TEMP/ghmesh, $XDG_RUNTIME_DIR/ghmesh]"},
    FlagSpec{"job-pid", 0, "PID", "the node ends with this process [the runner's Runner.Worker, if there is one]"},
    FlagSpec{"idle-limit", 0, "SECONDS", "the node ends after so long without a request; 0 is never [21600]"},
};
constexpr std::array kStopFlags{
    kInitFlags[0],
    kInitFlags[2],
};
constexpr std::array kKeepFlags{
    FlagSpec{"state-dir", 0, "DIR", "the session"},
    FlagSpec{"job-pid", 0, "PID", "ends with this process"},
    FlagSpec{"job-start", 0, "TICKS", "when that process began"},
    FlagSpec{"idle-limit", 0, "SECONDS", "ends after so long without a request; 0 is never"},
};
constexpr std::array kIdFlags{
    FlagSpec{"identity", 0, "FILE", "the identity file [the cache directory + /identity.key]"},
    FlagSpec{"json", 0, "", "as JSON"},
};

constexpr std::array kDiscoverFlags{
    FlagSpec{"json", 0, "", "the records as a JSON array"},
};

constexpr std::array kDoctorFlags{
    FlagSpec{"json", 0, "", "the findings as JSON"},
};
constexpr std::array kTopFlags{
    kAskFlags[0],
    kAskFlags[1],
    kAskFlags[2],
    FlagSpec{"once", 0, "", "one view as plain text, for logs"},
    FlagSpec{"interval", 0, "SECONDS", "how often the node is asked, 1 to 60 [1]"},
};

constexpr std::string_view kFindsNode =
    "The node is found by --listen and --admin, by --ready-file, by the variables GHMESH_LISTEN, GHMESH_ADMIN and\n"
    "GHMESH_NODE (a ready file; `ghmesh run` sets it), else at its default addresses. No node there: exit status 3.\n";

constexpr std::array kCommands{
    Command{.name = "serve",
            .usage = "[flags]",
            .summary = "the node in the foreground",
            .details =
                "Answers until SIGTERM or SIGINT, then finishes what is in flight (10 s at most); a second signal\n"
                "does not wait. Log lines go to standard error.\n",
            .rules = {.node_settings = true},
            .run = serve},
    Command{.name = "run",
            .usage = "[flags] -- CMD…",
            .summary = "a command with a node of its own",
            .details =
                "Starts a private node on free ports, runs CMD with GH_CONFIG_DIR (a copy of gh's configuration\n"
                "that points at the node's socket), GHMESH_URL and GITHUB_API_URL, says on standard error what\n"
                "was saved, and returns CMD's exit status. Nothing is left behind: the cache is in memory unless\n"
                "--cache-dir says otherwise.\n",
            .rules = {.node_settings = true,
                      .runs_command = true,
                      .operands_min = 1,
                      .operands_max = ~std::size_t{0},
                      .operands = "a command"},
            .run = run_command},
    Command{.name = "init",
            .usage = "[flags]",
            .summary = "for a CI step: a node in the background, and the tools pointed at it",
            .details =
                "Starts a node that outlives this step but not the job, or finds the one that an earlier init has\n"
                "started, and tells the steps that follow where it is: by $GITHUB_ENV and $GITHUB_OUTPUT inside of\n"
                "GitHub Actions, else by export lines: eval \"$(ghmesh init)\". A second init does no harm, and\n"
                "replaces a node that is not well on the same addresses. Addresses that nobody chose and that are\n"
                "taken give way to free ones.\n"
                "\n"
                "Sets GH_CONFIG_DIR (a copy of gh's configuration that points at the node's socket), GHMESH_URL,\n"
                "GHMESH_NODE, and the CACHE_* variables of older tools; where the node makes certificates also\n"
                "HTTPS_PROXY, NO_PROXY, NODE_EXTRA_CA_CERTS, SSL_CERT_FILE, CURL_CA_BUNDLE, REQUESTS_CA_BUNDLE and\n"
                "GIT_SSL_CAINFO. Outputs: peer_id, multiaddr, bootstrap_peers, url, socket.\n"
                "\n"
                "If no node can be had the step says why in a warning and succeeds, and the job runs as without a\n"
                "cache; --strict fails it. The node ends with `ghmesh stop`, with the runner's process, and when\n"
                "nobody has asked it for --idle-limit seconds; one that dies is replaced at once, and whoever\n"
                "connects meanwhile waits for it.\n",
            .rules = {.flags = kInitFlags, .node_settings = true},
            .run = init},
    Command{.name = "stop",
            .usage = "[flags]",
            .summary = "ends the node that init started, and says what was saved",
            .details =
                "Lets the node finish what is in flight, appends a table and a chart of what was saved to\n"
                "$GITHUB_STEP_SUMMARY, removes the session's directory, and takes the variables back: by unset and\n"
                "export lines, eval \"$(ghmesh stop)\", or in $GITHUB_ENV, which can empty a variable but not unset\n"
                "it; SSL_CERT_FILE and GIT_SSL_CAINFO then name the system's certificates. A variable that has been\n"
                "changed since is left alone. Nothing to stop is no failure.\n",
            .rules = {.flags = kStopFlags},
            .run = stop},
    Command{.name = "keep",
            .usage = "[flags] -- SERVE-FLAGS…",
            .summary = "the process that init leaves behind",
            .details = "Holds the listening sockets it was handed and keeps a node behind them.\n",
            .rules = {.flags = kKeepFlags,
                      .runs_command = true,
                      .operands_min = 0,
                      .operands_max = ~std::size_t{0},
                      .operands = "serve's flags"},
            .run = keep,
            .hidden = true},
    Command{.name = "get",
            .usage = "[flags] URL|PATH",
            .summary = "one GET through the node, body on stdout",
            .details = "A path such as /repos/cli/cli is asked of the upstream, a URL of its host. GH_TOKEN or\n"
                       "GITHUB_TOKEN is sent along with a path and to api.github.com, unless --header has an\n"
                       "Authorization. The body goes to stdout whatever the status; 400 and above exit with 1.\n",
            .rules = {.flags = kGetFlags, .operands_min = 1, .operands_max = 1, .operands = "URL|PATH"},
            .run = get},
    Command{.name = "explain",
            .usage = "[flags] URL|PATH",
            .summary = "what would happen to that GET, and why",
            .details =
                "Key, class, freshness, what is held and the state of proofs, for the token of GH_TOKEN or\n"
                "GITHUB_TOKEN. Each Accept is another entry: without --accept it is GitHub's default, or */* where\n"
                "only that is held. Nothing is fetched.\n",
            .rules = {.flags = kExplainFlags, .operands_min = 1, .operands_max = 1, .operands = "URL|PATH"},
            .run = explain},
    Command{.name = "stats",
            .usage = "[flags]",
            .summary = "what the node has counted",
            .details = "Counted where it happens, nothing estimated.\n",
            .rules = {.flags = kReportFlags},
            .run = stats},
    Command{.name = "quota",
            .usage = "[flags]",
            .summary = "the rate limits the node has seen, per token and resource",
            .details = "Tokens are shown by a fingerprint that the node makes; it cannot be turned back. Members of "
                       "its mesh with\n"
                       "the same token are counted besides; --json has each of them.\n",
            .rules = {.flags = kReportFlags},
            .run = quota},
    Command{.name = "peers",
            .usage = "[flags]",
            .summary = "the members of the mesh as the node sees them",
            .details =
                "Address and round trip of the connection that stands, how long it has been a member, its role\n"
                "(owner: keeps a part of the keys; client: others cannot dial it, or it is new), how many of the 64\n"
                "partitions it keeps, octets over the connection, and its score (1: all its answers held). Below\n"
                "them who was heard of and is no member, and why.\n",
            .rules = {.flags = kReportFlags},
            .run = peers},
    Command{.name = "verify",
            .usage = "[flags]",
            .summary = "tries this node and its mesh from end to end",
            .details =
                "Both listeners, the way to GitHub and the quota it shows (GH_TOKEN or GITHUB_TOKEN; GET /rate_limit\n"
                "costs nothing), identity, peer listener, registry, connected peers, and an entry there and back\n"
                "through each of them. Exit status 0 only if all of it holds.\n",
            .rules = {.flags = kReportFlags},
            .run = verify},
    Command{.name = "doctor",
            .usage = "[flags]",
            .summary = "finds misconfiguration, and says the line that mends it",
            .details =
                "Judges for each client that is installed (gh, curl, git, node, python3, java), by the rules that it\n"
                "follows itself, whether its requests for the API would go through the node. Also the clock, ports,\n"
                "addresses told to peers, the mesh secret, the registry, proxy variables, containers, runner hooks,\n"
                "systemd units, and workflows in .github/workflows. Give the settings that the node was given.\n"
                "\n"
                "Exit status 0 unless something is wrong (warnings are no failure), 3 if no node answers.\n",
            .rules = {.flags = kDoctorFlags, .node_settings = true},
            .run = doctor_command},
    Command{
        .name = "top",
        .usage = "[flags]",
        .summary = "a live view of the node",
        .details =
            "Requests, where answers came from, quotas with the time to their reset, peers with their round trips,\n"
            "and the requests as they come. Keys: s and S choose by which column peers are sorted, r turns the\n"
            "order, p pauses, space asks at once, q ends. No colours with NO_COLOR or TERM=dumb.\n",
        .rules = {.flags = kTopFlags},
        .run = top},
    Command{.name = "purge",
            .usage = "[flags] PATTERN",
            .summary = "drops cached answers",
            .details =
                "PATTERN is a path, with all its queries; /repos/OWNER/REPO/* is everything of one repository, * is\n"
                "everything.\n",
            .rules = {.flags = kReportFlags, .operands_min = 1, .operands_max = 1, .operands = "PATTERN"},
            .run = purge},
    Command{
        .name = "mcp",
        .usage = "[flags]",
        .summary = "the node as an MCP server on stdio",
        .details =
            "For agents: {\"command\": \"ghmesh\", \"args\": [\"mcp\"]}. Tools: quota_report, cache_stats, "
            "fleet_stats,\n"
            "list_peers, explain_request, verify_mesh, github_get, purge. Resources: ghmesh://stats, ghmesh://quota,\n"
            "ghmesh://peers. GH_TOKEN or GITHUB_TOKEN is the credential of github_get and explain_request. The same\n"
            "server is at /mcp of the admin listener, over streamable HTTP.\n",
        .rules = {.flags = kAskFlags},
        .run = mcp},
    Command{.name = "demo",
            .usage = "[flags]",
            .summary = "the main job on this machine, without the network",
            .details =
                "A fleet of node processes finds itself through a directory, and its clients ask a stand-in for\n"
                "GitHub (recorded answers) the same hundred questions: directly, through ghmesh, at the same\n"
                "instant, with a token per runner, and with one runner killed in the middle. Then 200 jobs with a\n"
                "token each ask 20 questions at once, on a budget of 1,000. Prints what GitHub charged and how\n"
                "long it took; fails if one byte differs or more was charged than is due. Nothing is left behind.\n",
            .rules = {.flags = kDemoFlags},
            .run = demo},
    Command{.name = "simulate",
            .usage = "[flags]",
            .summary = "a fleet of up to 1,000 members in virtual time",
            .details =
                "The state machines that a node runs, over a network of delays, before an origin whose answers\n"
                "change: 20 % of the keys every 2 minutes, 50 % every 30, the rest never. Every member asks half a\n"
                "question a second (Zipf 0.9); every minute a fifth of them start the same script of 20. Prints\n"
                "what was charged beside the ideal (one cache for all, without delay), messages a request, bytes a\n"
                "member, and latencies. Exit status 1 if one answer was not the origin's. A thousand\n"
                "members take some minutes; nothing leaves this process.\n",
            .rules = {.flags = kSimulateFlags},
            .run = simulate},
    Command{.name = "register",
            .usage = "[flags] PEER_ID PORT IP",
            .summary = "puts this machine's record into the registry directory",
            .details =
                "A record is signed, so PEER_ID is the one of --identity (ghmesh id). IP may be a name. It lasts 30\n"
                "minutes. A running node keeps a record of its own there; --announce says what it contains.\n",
            .rules = {.node_settings = true, .operands_min = 3, .operands_max = 3, .operands = "PEER_ID, PORT and IP"},
            .run = register_peer},
    Command{.name = "discover",
            .usage = "[flags] [MAX]",
            .summary = "the peers in the registry directory, newest first",
            .details =
                "One multiaddr per line and peer, at most MAX [10]; --json gives whole records. Only records that\n"
                "are fresh, signed by their peer and of this mesh count; what was passed over is said on standard\n"
                "error. No node is asked.\n",
            .rules = {.flags = kDiscoverFlags, .node_settings = true, .operands_max = 1, .operands = "MAX"},
            .run = discover},
    Command{.name = "id",
            .usage = "[flags]",
            .summary = "the peer id of an identity file",
            .details = "An Ed25519 key in libp2p's encoding, made once by the node that it belongs to.\n",
            .rules = {.flags = kIdFlags},
            .run = id},
    Command{.name = "secret new",
            .usage = "",
            .summary = "a fresh mesh secret on stdout",
            .details = "32 random bytes in hexadecimal, for --secret-file or GHMESH_SECRET on every node of a mesh.\n",
            .rules = {},
            .run = secret_new},
    Command{.name = "completion",
            .usage = "bash|zsh|fish",
            .summary = "shell completion on stdout",
            .details = "bash: source <(ghmesh completion bash)\n"
                       "zsh:  source <(ghmesh completion zsh)\n"
                       "fish: ghmesh completion fish | source\n",
            .rules = {.operands_min = 1, .operands_max = 1, .operands = "bash, zsh or fish"},
            .run = completion,
            .operand_words = "bash zsh fish"},
    Command{
        .name = "p2p",
        .usage = "listen|dial|ping|perf|echo|bench [MULTIADDR] [options]",
        .summary = "a libp2p host for interop tests and measurements",
        .details =
            "One JSON line per result; exit status 0 done, 1 failed, 2 wrong usage. listen prints peer_id and\n"
            "multiaddrs when it is ready and serves identify, ping, /echo/1.0.0, /perf/1.0.0 and\n"
            "/interop/rr/1.0.0 until SIGTERM. dial reports every layer, ping --count N round trips, perf\n"
            "--upload and --download octets, echo --size octets back with their SHA-256, bench --mode\n"
            "ping|kept|fresh|request|first|setups|hold --parallel N --size N, and --count N exchanges or as many as\n"
            "there are in --measure MS behind --warm MS.\n"
            "\n"
            "  --port N             listen there instead of on a free port\n"
            "  --tls                TLS 1.3 instead of Noise\n"
            "  --late-muxer         the muxer by multistream-select, not inside the handshake\n"
            "  --default-limits     the limits of a node, not those of a measurement\n"
            "  --accept-keys LIST   ed25519,secp256k1,ecdsa,rsa: peers' types of keys [ed25519]\n"
            "  --mdns PORT          listen: also finds peers by multicast over loopback on that port\n"
            "  --pause MS           perf: reads nothing for so long, then all\n"
            "  --protocol ID        echo: another protocol than /echo/1.0.0\n"
            "  --forge HOW          a false identity: bit|empty|other-key|foreign-key|other-text|short\n"
            "  --early-end          echo: half-close behind the last octet, not behind its echo\n",
        .rules = {.verbatim = true,
                  .operands_min = 1,
                  .operands_max = ~std::size_t{0},
                  .operands = "listen, dial, ping, perf, echo or bench"},
        .run = p2p,
        .hidden = true},
};

}  // namespace

std::span<const Command> commands() { return kCommands; }

std::string_view how_a_node_is_found() { return kFindsNode; }

}  // namespace ghmesh::cli
