//! The memory that another process has, as Linux accounts for it.

use std::fs;

use anyhow::Context;

/// The resident set of the process in bytes (`VmRSS` in proc_pid_status(5)).
pub(crate) fn bytes(pid: u32) -> anyhow::Result<u64> {
    let path = format!("/proc/{pid}/status");
    let text = fs::read_to_string(&path)
        .with_context(|| format!("cannot read `{path}`: this needs Linux"))?;
    let kibibytes = text
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next())
        .with_context(|| format!("no `VmRSS` in `{path}`"))?;
    Ok(kibibytes.parse::<u64>()? << 10)
}
