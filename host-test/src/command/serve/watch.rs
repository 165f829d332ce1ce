//! A file that may change at any time, under the hands of any editor.
//!
//! Looked at instead of subscribed to: that works for files that are written in place, replaced by a rename, or mounted from
//! elsewhere. A file caught half written may be a valid policy with half of its protections, so a change counts only
//! once two looks in a row have read the same.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use portcullis_host_test::document::MAX_BYTES;

/// File systems are not exact about the time of a change: until it is this old, the file is read whatever it says.
const RECENT: Duration = Duration::from_secs(3);

/// A watched file.
pub(super) struct Watched {
    path: PathBuf,
    name: String,
    /// Time and length of what was read last.
    stamp: Option<(SystemTime, u64)>,
    /// What was handed out last.
    known: Vec<u8>,
    /// Another content that one look has seen.
    seen: Option<Vec<u8>>,
    /// Looks in a row that found no file.
    misses: u8,
}

/// What a look found.
pub(super) enum Change {
    /// Another content.
    Bytes(Vec<u8>),
    /// The file is gone for longer than an editor takes to replace it. Said once.
    Lost(io::Error),
}

impl Watched {
    /// Reads the file for the first time.
    pub(super) fn open(path: PathBuf) -> io::Result<(Self, Vec<u8>)> {
        let mut watched = Self {
            name: path.display().to_string(),
            path,
            stamp: None,
            known: Vec::new(),
            seen: None,
            misses: 0,
        };
        let (stamp, bytes) = watched.read()?;
        (watched.stamp, watched.known) = (Some(stamp), bytes.clone());
        Ok((watched, bytes))
    }

    /// The path as the user gave it.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Looks whether the file has changed since the content that was handed out last.
    pub(super) fn look(&mut self) -> Option<Change> {
        if self.is_untouched() {
            return None;
        }
        let (stamp, bytes) = match self.read() {
            Ok(read) => read,
            Err(error) => {
                self.misses = self.misses.saturating_add(1);
                // Whatever is there next is to be read.
                self.stamp = None;
                return (self.misses == 2).then_some(Change::Lost(error));
            }
        };
        self.misses = 0;
        self.stamp = Some(stamp);
        let seen = self.seen.take();
        if bytes == self.known {
            return None;
        }
        if seen.as_ref() != Some(&bytes) {
            self.seen = Some(bytes);
            return None;
        }
        self.known.clone_from(&bytes);
        Some(Change::Bytes(bytes))
    }

    fn is_untouched(&self) -> bool {
        let Ok(data) = self.path.metadata() else {
            return false;
        };
        let Ok(modified) = data.modified() else {
            return false;
        };
        let recent = modified.elapsed().is_ok_and(|age| age < RECENT);
        self.stamp == Some((modified, data.len())) && self.seen.is_none() && !recent
    }

    /// The content, one byte past what a document may have at most, and its stamp from before the reading.
    fn read(&self) -> io::Result<((SystemTime, u64), Vec<u8>)> {
        let file = File::open(&self.path)?;
        let data = file.metadata()?;
        if data.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX);
        let mut bytes = Vec::new();
        file.take(limit.saturating_add(4)).read_to_end(&mut bytes)?;
        Ok(((data.modified()?, data.len()), bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looked(watched: &mut Watched) -> Option<String> {
        watched.look().map(|change| match change {
            Change::Bytes(bytes) => String::from_utf8(bytes).unwrap(),
            Change::Lost(error) => format!("lost: {:?}", error.kind()),
        })
    }

    #[test]
    fn a_change_counts_once_it_stands_still() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy.yaml");
        let write = |text: &str| std::fs::write(&path, text).unwrap();
        write("one");
        let (mut watched, first) = Watched::open(path.clone()).unwrap();
        assert_eq!(first, b"one");
        assert_eq!(looked(&mut watched), None);
        write("tw");
        assert_eq!(looked(&mut watched), None, "it may be half written");
        write("two");
        assert_eq!(looked(&mut watched), None, "it was");
        assert_eq!(looked(&mut watched), Some("two".to_owned()));
        assert_eq!(looked(&mut watched), None, "that is known");
        // The length is the same, and the time may be.
        write("six");
        looked(&mut watched);
        assert_eq!(looked(&mut watched), Some("six".to_owned()));
        write("other");
        assert_eq!(looked(&mut watched), None);
        write("six");
        assert_eq!(looked(&mut watched), None, "taken back");
        assert_eq!(looked(&mut watched), None);
    }

    #[test]
    fn a_file_may_be_replaced_and_may_be_gone() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("policy.yaml"), folder.path().join("new"));
        std::fs::write(&path, "one").unwrap();
        let (mut watched, _) = Watched::open(path.clone()).unwrap();
        std::fs::write(&other, "two").unwrap();
        std::fs::rename(&other, &path).unwrap();
        looked(&mut watched);
        assert_eq!(looked(&mut watched), Some("two".to_owned()));
        std::fs::remove_file(&path).unwrap();
        assert_eq!(looked(&mut watched), None, "an editor may be at it");
        assert_eq!(looked(&mut watched), Some("lost: NotFound".to_owned()));
        assert_eq!(looked(&mut watched), None, "said once");
        std::fs::write(&path, "six").unwrap();
        looked(&mut watched);
        assert_eq!(looked(&mut watched), Some("six".to_owned()));
    }
}
