//! A closed set as text: a requirements file in the style of uv or pip-compile, or a `pylock.toml`. Writes no file.

mod pylock;
mod requirements;

pub use pylock::{Keeps, Scope, pylock};
pub use requirements::{Extras, Layout, Style, requirements, style_of};
