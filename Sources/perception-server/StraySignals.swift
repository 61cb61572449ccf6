import Glibc

/// Leaves the process alone when a signal comes that asks for nothing this server does.
///
/// SIGPIPE would otherwise end it when the log's reader has gone and the main thread writes the drain's records; SIGUSR1
/// and SIGUSR2 are sent by tools that rotate logs of other servers. A service beside a training job outlives both.
func ignoreStraySignals() {
    for number in [SIGPIPE, SIGUSR1, SIGUSR2] {
        _ = signal(number, SIG_IGN)
    }
}
