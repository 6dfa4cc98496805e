//! A line that moves while many look-ups run, on a terminal only.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::time::Duration;

/// Whether progress may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Progress {
    /// On standard error, when that is a terminal.
    #[default]
    Terminal,
    /// Never.
    Silent,
}

/// A line of progress; gone when it is dropped.
#[derive(Debug)]
pub struct Bar(ProgressBar);

impl Progress {
    /// Starts a line for `total` pieces of work.
    pub fn start(self, what: &'static str, total: usize) -> Bar {
        let shown = self == Progress::Terminal && std::io::stderr().is_terminal();
        if !shown || total == 0 {
            return Bar(ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()));
        }
        let bar = ProgressBar::new(total as u64);
        if let Ok(style) = ProgressStyle::with_template("{prefix} [{bar:30}] {pos}/{len} {msg}") {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(what);
        bar.enable_steady_tick(Duration::from_millis(120));
        Bar(bar)
    }
}

impl Bar {
    /// One piece is done.
    pub fn tick(&self, name: &str) {
        // Names come from files: nothing of them may steer the terminal.
        self.0.set_message(name.chars().filter(|c| !c.is_control()).take(40).collect::<String>());
        self.0.inc(1);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
