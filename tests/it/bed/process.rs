//! What the kernel says about the agent as a process.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

pub(crate) struct Process {
    pid: u32,
}

impl Process {
    pub(crate) fn of(pid: u32) -> Self {
        Self { pid }
    }

    fn folder(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}", self.pid))
    }

    /// The fields of `status`, of each thread.
    pub(crate) fn threads(&self) -> Vec<BTreeMap<String, String>> {
        let tasks = fs::read_dir(self.folder().join("task")).unwrap();
        tasks
            .map(|task| fields(&task.unwrap().path().join("status")))
            .collect()
    }

    /// A field of `status` that counts kilobytes, in bytes.
    pub(crate) fn bytes(&self, field: &str) -> usize {
        let fields = fields(&self.folder().join("status"));
        let text = fields[field].trim_end_matches(" kB");
        1024 * text.parse::<usize>().unwrap()
    }

    pub(crate) fn open_sockets(&self) -> usize {
        let files = fs::read_dir(self.folder().join("fd")).unwrap();
        files
            .filter_map(|file| fs::read_link(file.unwrap().path()).ok())
            .filter(|target| target.to_str().unwrap().starts_with("socket:"))
            .count()
    }

    pub(crate) fn children(&self) -> Vec<u32> {
        let tasks = fs::read_dir(self.folder().join("task")).unwrap();
        let children = |task: PathBuf| fs::read_to_string(task.join("children")).unwrap();
        tasks
            .map(|task| children(task.unwrap().path()))
            .flat_map(|text| {
                text.split_whitespace()
                    .map(|pid| pid.parse().unwrap())
                    .collect::<Vec<u32>>()
            })
            .collect()
    }
}

fn fields(status: &PathBuf) -> BTreeMap<String, String> {
    let text = fs::read_to_string(status).unwrap();
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect()
}
