//! The CPU time of another process, as Linux accounts for it.

use std::fs;
use std::time::Duration;

use anyhow::{Context, ensure};

/// The time that all threads of the process have spent on a CPU since they started, in user and kernel mode.
///
/// From `schedstat` (nanoseconds) and not from `stat`, whose ticks of 10 ms are as much as a thousand requests.
pub(crate) fn spent(pid: u32) -> anyhow::Result<Duration> {
    let tasks = format!("/proc/{pid}/task");
    let mut total = 0u64;
    for task in
        fs::read_dir(&tasks).with_context(|| format!("cannot read `{tasks}`: this needs Linux"))?
    {
        let text = fs::read_to_string(task?.path().join("schedstat"))
            .context("cannot read `schedstat`")?;
        let on_cpu = text
            .split_whitespace()
            .next()
            .context("an empty `schedstat`")?;
        total = total.saturating_add(on_cpu.parse()?);
    }
    ensure!(
        total > 0,
        "this kernel does not account for CPU time in `schedstat`"
    );
    Ok(Duration::from_nanos(total))
}
