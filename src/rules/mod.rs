//! One file per rule: facts to findings, with its manual and its examples inside. No rule imports another.

pub mod manual;

use crate::model::rule::Rule;

/// A rule and the text of its own file, whose `//!` lines are its manual.
pub struct Registered {
    /// The rule.
    pub rule: &'static Rule,
    /// Its file.
    pub text: &'static str,
}

impl Registered {
    /// The manual: the leading `//!` lines without their marks.
    pub fn manual(&self) -> String {
        let lines = self.text.lines().map_while(|line| line.strip_prefix("//!"));
        let lines: Vec<&str> = lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
        lines.join("\n")
    }
}

macro_rules! rules {
    ($($module:ident,)*) => {
        $(pub mod $module;)*

        /// Every rule, in the order of the documentation.
        pub static RULES: &[Registered] = &[$(
            Registered { rule: &$module::RULE, text: include_str!(concat!(stringify!($module), ".rs")) },
        )*];
    };
}

// One word a line, by group.
rules! {
    image_tag_latest,
    image_tag_missing,
    image_tag_floating,
    image_tag_minor,
    image_no_digest,
    image_digest_bare,
    image_unresolved,
    image_drift,
    req_unpinned,
    req_lock_missing,
    req_lock_not_enforced,
    req_lock_stale,
    req_no_hashes,
    req_vcs_mutable,
    req_adhoc_install,
    req_bootstrap_unpinned,
    tool_run_unpinned,
    req_extra_index,
    tox_nox_unpinned,
    component_mutable_branch,
    component_floating_tag,
    component_not_sha,
    precommit_rev_mutable,
    precommit_deps_unpinned,
    component_tool_latest,
    download_unverified,
    runtime_runner_latest,
    runtime_python_floating,
    runtime_python_minor,
    runtime_declared_mismatch,
    upgrade_in_gate,
    upgrade_mixed_patch,
    upgrade_no_owner,
    pin_conflict,
    pin_stale,
    pin_yanked,
    repro_tool_drift,
    secret_literal_known_token,
    secret_literal_in_env,
    secret_literal_url,
    env_dump_with_secret,
    env_dump_to_artifact,
    env_dump_context,
    trace_with_secret,
    debug_mode_committed,
    verbose_client_with_secret,
    log_env_report_missing,
    log_masked_config,
    secret_env_workflow_scope,
    secret_env_job_scope,
    secret_env_step_scope,
    secret_env_bulk,
    secret_env_persisted,
    secret_derived_unmasked,
    secret_inline_expansion,
    secret_in_argv,
    secret_in_index_url,
    secret_in_image,
    secret_mount_as_env,
    secret_to_mutable_component,
    secret_static_cloud_key,
    secret_publish_token,
    secret_tox_nox_env,
    secret_devcontainer_env,
    secret_k8s_env,
    secret_compose_env,
    lock_host_undeclared,
    lock_http,
    lock_hash_missing,
    lock_hash_weak,
    lock_file_mismatch,
    lock_out_of_range,
    lock_orphan,
    lock_edge_dangling,
    lock_vcs_mutable,
    lock_credentials,
    lock_mixed_index,
    lock_duplicate_source,
    lock_sdist_only,
    lock_partial_hashes,
    lock_not_closed,
    lock_too_fresh,
    file_unreadable,
    opaque_reference,
    template_skipped,
    ignore_expired,
    ignore_no_reason,
    ignore_unknown_rule,
    ignore_unused,
    gate_exit_swallowed,
    gate_pipe_masks_exit,
    gate_no_errexit,
    gate_not_on_patch,
    gate_vacuous,
    test_retry_hides_flake,
    test_reruns_unrecorded,
    test_no_junit,
    log_tool_quiet,
    log_verbosity_unset,
    log_output_discarded,
    report_lost_on_failure,
    repro_command_drift,
}

/// The rule with this id.
pub fn named(id: &str) -> Option<&'static Registered> {
    RULES.iter().find(|registered| registered.rule.id == id)
}

/// The manual of the rule with this id; empty when there is none.
pub fn manual_of(id: &str) -> String {
    named(id).map(Registered::manual).unwrap_or_default()
}
