//! What rules ask about secrets in variables: which are in scope at a step, who else can read them, how much harm one does, where its
//! value flows. Knows names of secrets, never values, and no system but by its [`Dialect`](crate::model::dialect::Dialect).
//!
//! - [`Project::secrets_at`] lists every secret in the environment of one step: of the pipeline, the job, the container, the step itself,
//!   what earlier steps persisted or exported, and the tokens that are always there.
//! - [`Company`] counts who shares a scope.
//! - [`Project::harm`] weighs a secret by its name; [`Weight`] makes levels of that.
//! - [`flow`] follows secrets through the commands of a script; [`sinks`] says what it keeps of them for later steps.
//!
//! A set of secrets that is attached by name (a context, `envFrom`, a variable group) is an assignment with the name of the set and the one
//! secret `*`.
//!
//! [`Project::secrets_at`]: crate::model::project::Project::secrets_at
//! [`Project::harm`]: crate::model::project::Project::harm

pub mod as_file;
pub mod build;
pub mod company;
pub mod dumps;
pub mod expansion;
pub mod filed;
pub mod flow;
pub mod handed;
pub mod held;
pub mod identity;
pub mod names;
pub mod narrow;
pub mod paths;
pub mod place;
pub mod runners;
pub mod scope;
pub mod sinks;
#[cfg(test)]
mod tests;
pub mod unpaste;
pub mod weight;

pub use company::Company;
pub use held::Held;
pub use names::looks_secret;
pub use runners::{Runner, Runners};
pub use scope::{Reach, Readable};
pub use weight::{Harm, Weight};
