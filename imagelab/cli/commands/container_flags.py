"""Docker's flags of the container verbs, as its own help pages list them: name, letter, kind, default, text.

All of them are known, so that a page looks as Docker's and a typing error is found. `run_options` says which do something
here, which are accepted because they change nothing one could see, and which are refused.
"""

from __future__ import annotations

from functools import cache

from imagelab.cli.flags import Flag

RUN = """\
add-host||list||Add a custom host-to-IP mapping (host:ip)
annotation||map|map[]|Add an annotation to the container (passed through to the OCI runtime)
attach|a|list||Attach to STDIN, STDOUT or STDERR
blkio-weight||uint16|0|Block IO (relative weight), between 10 and 1000, or 0 to disable
blkio-weight-device||list|[]|Block IO weight (relative device weight)
cap-add||list||Add Linux capabilities
cap-drop||list||Drop Linux capabilities
cgroup-parent||string||Optional parent cgroup for the container
cgroupns||string||@CGROUPNS
cidfile||string||Write the container ID to the file
cpu-period||int||Limit CPU CFS (Completely Fair Scheduler) period
cpu-quota||int||Limit CPU CFS (Completely Fair Scheduler) quota
cpu-rt-period||int||Limit CPU real-time period in microseconds
cpu-rt-runtime||int||Limit CPU real-time runtime in microseconds
cpu-shares|c|int||CPU shares (relative weight)
cpus||decimal||Number of CPUs
cpuset-cpus||string||CPUs in which to allow execution (0-3, 0,1)
cpuset-mems||string||MEMs in which to allow execution (0-3, 0,1)
detach|d|bool||Run container in background and print container ID
detach-keys||string||Override the key sequence for detaching a container
device||list||Add a host device to the container
device-cgroup-rule||list||Add a rule to the cgroup allowed devices list
device-read-bps||list|[]|Limit read rate (bytes per second) from a device
device-read-iops||list|[]|Limit read rate (IO per second) from a device
device-write-bps||list|[]|Limit write rate (bytes per second) to a device
device-write-iops||list|[]|Limit write rate (IO per second) to a device
disable-content-trust||bool|true|Skip image verification
dns||list||Set custom DNS servers
dns-option||list||Set DNS options
dns-search||list||Set custom DNS search domains
domainname||string||Container NIS domain name
entrypoint||string||Overwrite the default ENTRYPOINT of the image
env|e|list||Set environment variables
env-file||list||Read in a file of environment variables
expose||list||Expose a port or a range of ports
gpus||gpu-request||GPU devices to add to the container ('all' to pass all GPUs)
group-add||list||Add additional groups to join
health-cmd||string||Command to run to check health
health-interval||duration|0s|Time between running the check (ms|s|m|h)
health-retries||int||Consecutive failures needed to report unhealthy
health-start-interval||duration|0s|Time between running the check during the start period (ms|s|m|h)
health-start-period||duration|0s|Start period for the container to initialize before starting health-retries countdown (ms|s|m|h)
health-timeout||duration|0s|Maximum time to allow one check to run (ms|s|m|h)
hostname|h|string||Container host name
init||bool||Run an init inside the container that forwards signals and reaps processes
interactive|i|bool||Keep STDIN open even if not attached
ip||string||IPv4 address (e.g., 172.30.100.104)
ip6||string||IPv6 address (e.g., 2001:db8::33)
ipc||string||IPC mode to use
isolation||string||Container isolation technology
kernel-memory||bytes||Kernel memory limit
label|l|list||Set meta data on a container
label-file||list||Read in a line delimited file of labels
link||list||Add link to another container
link-local-ip||list||Container IPv4/IPv6 link-local addresses
log-driver||string||Logging driver for the container
log-opt||list||Log driver options
mac-address||string||Container MAC address (e.g., 92:d0:c6:0a:29:33)
memory|m|bytes||Memory limit
memory-reservation||bytes||Memory soft limit
memory-swap||bytes||Swap limit equal to memory plus swap: '-1' to enable unlimited swap
memory-swappiness||int|-1|Tune container memory swappiness (0 to 100)
mount||mount||Attach a filesystem mount to the container
name||string||Assign a name to the container
network||network||Connect a container to a network
network-alias||list||Add network-scoped alias for the container
no-healthcheck||bool||Disable any container-specified HEALTHCHECK
oom-kill-disable||bool||Disable OOM Killer
oom-score-adj||int||Tune host's OOM preferences (-1000 to 1000)
pid||string||PID namespace to use
pids-limit||int||Tune container pids limit (set -1 for unlimited)
platform||string||Set platform if server is multi-platform capable
privileged||bool||Give extended privileges to this container
publish|p|list||Publish a container's port(s) to the host
publish-all|P|bool||Publish all exposed ports to random ports
pull||string|"missing"|Pull image before running ("always", "missing", "never")
quiet|q|bool||Suppress the pull output
read-only||bool||Mount the container's root filesystem as read only
restart||string|"no"|Restart policy to apply when a container exits
rm||bool||Automatically remove the container and its associated anonymous volumes when it exits
runtime||string||Runtime to use for this container
security-opt||list||Security Options
shm-size||bytes||Size of /dev/shm
sig-proxy||bool|true|Proxy received signals to the process
stop-signal||string||Signal to stop the container
stop-timeout||int||Timeout (in seconds) to stop a container
storage-opt||list||Storage driver options for the container
sysctl||map|map[]|Sysctl options
tmpfs||list||Mount a tmpfs directory
tty|t|bool||Allocate a pseudo-TTY
ulimit||ulimit|[]|Ulimit options
use-api-socket||bool||Bind mount Docker API socket and required auth
user|u|string||Username or UID (format: <name|uid>[:<group|gid>])
userns||string||User namespace to use
uts||string||UTS namespace to use
volume|v|list||Bind mount a volume
volume-driver||string||Optional volume driver for the container
volumes-from||list||Mount volumes from the specified container(s)
workdir|w|string||Working directory inside the container
"""
"""Of `docker run`; `docker create` has all but ONLY_RUN."""
ONLY_RUN = {"detach", "detach-keys", "sig-proxy"}
OTHERS = """\
[start]
attach|a|bool||Attach STDOUT/STDERR and forward signals
detach-keys||string||Override the key sequence for detaching a container
interactive|i|bool||Attach container's STDIN
[stop]
signal|s|string||Signal to send to the container
timeout|t|int||Seconds to wait before killing the container
[restart]
signal|s|string||Signal to send to the container
timeout|t|int||Seconds to wait before killing the container
[kill]
signal|s|string||Signal to send to the container
[exec]
detach|d|bool||Detached mode: run command in the background
detach-keys||string||Override the key sequence for detaching a container
env|e|list||Set environment variables
env-file||list||Read in a file of environment variables
interactive|i|bool||Keep STDIN open even if not attached
privileged||bool||Give extended privileges to the command
tty|t|bool||Allocate a pseudo-TTY
user|u|string||Username or UID (format: "<name|uid>[:<group|gid>]")
workdir|w|string||Working directory inside the container
[attach]
detach-keys||string||Override the key sequence for detaching a container
no-stdin||bool||Do not attach STDIN
sig-proxy||bool|true|Proxy all received signals to the process
[logs]
details||bool||Show extra details provided to logs
follow|f|bool||Follow log output
since||string||Show logs since timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)
tail|n|string|"all"|Number of lines to show from the end of the logs
timestamps|t|bool||Show timestamps
until||string||Show logs before a timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)
[ps]
all|a|bool|shows just running|Show all containers
filter|f|filter||Filter output based on conditions provided
format||string||@TABLE
last|n|int|-1|Show n last created containers (includes all states)
latest|l|bool||Show the latest created container (includes all states)
no-trunc||bool||Don't truncate output
quiet|q|bool||Only display container IDs
size|s|bool||Display total file sizes
[rm]
force|f|bool||Force the removal of a running container (uses SIGKILL)
link|l|bool||Remove the specified link
volumes|v|bool||Remove anonymous volumes associated with the container
[cp]
archive|a|bool||Archive mode (copy all uid/gid information)
follow-link|L|bool||Always follow symbol link in SRC_PATH
quiet|q|bool||Suppress progress output during copy. Progress output is automatically suppressed if no terminal is attached
[commit]
author|a|string||Author (e.g., "John Hannibal Smith <hannibal@a-team.com>")
change|c|list||Apply Dockerfile instruction to the created image
message|m|string||Commit message
pause|p|bool|true|Pause container during commit
[export]
output|o|string||Write to a file, instead of STDOUT
[container prune]
filter||filter||Provide filter values (e.g. "until=<timestamp>")
force|f|bool||Do not prompt for confirmation
[container inspect]
format|f|string||@OBJECT
size|s|bool||Display total file sizes
"""
CGROUPNS = (
    "Cgroup namespace to use (host|private)\n'host':    Run the container in the Docker host's cgroup namespace\n"
    "'private': Run the container in its own private cgroup namespace\n"
    "'':        Use the cgroup namespace as configured by the\n           default-cgroupns-mode option on the daemon (default)"
)


@cache
def flags_of(verb: str) -> tuple[Flag, ...]:
    """The flags of `run`, `container prune` and so on."""
    if verb in ("run", "create"):
        text = (
            RUN
            if verb == "run"
            else RUN.replace('before running ("always", "missing",', 'before creating ("always", "|missing",')
        )
        found = [_flag(line) for line in text.splitlines()]
        help = Flag("help", "", "bool", "Print usage")
        return tuple([*(flag for flag in found if verb == "run" or flag.name not in ONLY_RUN), help])
    sections = dict(section.split("]\n", 1) for section in ("\n" + OTHERS).split("\n[")[1:])
    later = (
        [Flag("no-pause", text="The same as --pause=false, as Docker 29 says it", ours=True)]
        if verb == "commit"
        else []
    )
    return (*(_flag(line) for line in sections.get(verb, "").splitlines()), *later)


def _flag(line: str) -> Flag:
    from imagelab.cli.commands.formatting import OBJECT_FORMAT, TABLE_FORMAT

    name, short, kind, default, text = line.split("|", 4)
    shared = {"@TABLE": TABLE_FORMAT, "@OBJECT": OBJECT_FORMAT, "@CGROUPNS": CGROUPNS}
    return Flag(name, short, kind, shared.get(text, text), default)
