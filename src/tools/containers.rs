//! docker, podman, buildah, compose, skopeo, crane, apptainer: which image a command runs, pulls or builds. Reads no Dockerfile.
//!
//! The names given to `tag`, `push` and `build -t` are made here and are no references.

use super::args::{Args, Spec};
use super::{Call, Inner, Out, texts};
use crate::ecosystems::oci;
use crate::model::reference::Role;
use crate::model::script::{BuildImage, CheckKind, Deed, Word};

/// `docker run` has more than a hundred options; these take no value, the others do.
const RUN: Spec = Spec {
    long: &[],
    short: "acehlmpuvw",
    leading: true,
    greedy: true,
    flags: &[
        "--detach",
        "--disable-content-trust",
        "--help",
        "--init",
        "--interactive",
        "--no-healthcheck",
        "--oom-kill-disable",
        "--privileged",
        "--publish-all",
        "--quiet",
        "--read-only",
        "--rm",
        "--sig-proxy",
        "--tty",
        "--use-api-socket",
        "--replace",
        "--rmi",
        "--no-hosts",
        "--no-hostname",
        "--env-host",
        "--http-proxy",
        "--read-only-tmpfs",
        "--passwd",
        "--unsetenv-all",
        "--tls-verify",
        "--all-tags",
        "--no-tty",
        "--service-ports",
        "--no-deps",
        "--use-aliases",
        "--build",
        "--remove-orphans",
        "--no-TTY",
        "--quiet-pull",
        "--quiet-build",
    ],
    single_dash: false,
};

const BUILD: Spec = Spec {
    long: &[],
    short: "ftocm",
    leading: false,
    greedy: true,
    flags: &[
        "--compress",
        "--disable-content-trust",
        "--force-rm",
        "--no-cache",
        "--pull",
        "--quiet",
        "--rm",
        "--squash",
        "--load",
        "--push",
        "--debug",
        "--check",
        "--help",
        "--layers",
        "--squash-all",
        "--pull-always",
        "--pull-never",
        "--stdin",
        "--tls-verify",
        "--no-hosts",
        "--no-hostname",
        "--identity-label",
        "--inherit-labels",
        "--omit-history",
    ],
    single_dash: false,
};

const COMPOSE: Spec = Spec {
    long: &[
        "--file",
        "--project-name",
        "--profile",
        "--project-directory",
        "--env-file",
        "--ansi",
        "--progress",
        "--parallel",
    ],
    short: "fp",
    leading: true,
    greedy: false,
    flags: &[],
    single_dash: false,
};

/// Options before the subcommand.
const GLOBAL: Spec = Spec {
    long: &[
        "--config",
        "--context",
        "--host",
        "--log-level",
        "--tlscacert",
        "--tlscert",
        "--tlskey",
        "--namespace",
        "--root",
        "--storage-driver",
    ],
    short: "cHln",
    leading: true,
    greedy: false,
    flags: &[],
    single_dash: false,
};

/// What `docker …` and its kind do.
pub fn read<'c>(call: &Call<'c>, out: &mut Out) -> Option<Inner<'c>> {
    if matches!(call.program, "docker-compose" | "podman-compose") {
        return compose(call.args(), out);
    }
    let global = Args::read(call.args(), &[GLOBAL]);
    let groups = ["container", "image", "buildx", "builder"];
    let deep = usize::from(groups.contains(&global.text(0)));
    let tail = global.tail(deep, call.args());
    let words = tail.get(1..).unwrap_or(&[]);
    let command = tail.first().map_or("", |word| word.text.text.as_str());
    match (call.program, command) {
        (_, "run" | "create") if global.text(0) != "buildx" => return run(words, out),
        ("buildah", "from") => return run(words, out).and(None),
        (_, "pull") => pull(words, out),
        (_, "build" | "bud" | "b") => build(words, command, out),
        (_, "exec") => return exec(words),
        (_, "compose") => return compose(words, out),
        // <https://docs.docker.com/reference/cli/docker/buildx/bake/>
        (_, "bake") => out.entry("bake", texts(Args::read(words, &[BAKE]).values(&["-f", "--file"]))),
        _ => {}
    }
    None
}

fn image(word: &Word, out: &mut Out) {
    let mut word = word.clone();
    for lead in ["docker://", "docker-daemon:", "oras://", "library://"] {
        if word.text.text.starts_with(lead) {
            word = super::args::part(&word, lead.len()..word.text.text.len());
        }
    }
    // What this machine serves was made by the job itself.
    let host = word.text.text.split(['/', ':']).next().unwrap_or("");
    if matches!(host, "localhost" | "127.0.0.1") {
        return;
    }
    if let Some(reference) = oci::image(&word.text, Role::ScriptImage, "") {
        let id = out.push(reference);
        out.deed(Deed::UseImage(id));
    }
}

fn run<'c>(words: &'c [Word], out: &mut Out) -> Option<Inner<'c>> {
    let args = Args::read(words, &[RUN]);
    // Options in a variable stand before the image; the first word that can be an image is taken.
    let options = args.rest(0).take_while(|word| word.expands && is_options(&word.text.text)).count();
    let rest = args.tail(options, words);
    let word = rest.first()?;
    image(word, out);
    Inner::command(&rest[1..])
}

/// `$DOCKER_OPTS`, `${ARGS[@]}`; not `$ENV_IMAGE`, nor `${env.DOCKER_TAG}` of Jenkins, where `env` is no name.
fn is_options(text: &str) -> bool {
    let name = text.to_ascii_lowercase().replace("env.", "").replace("params.", "");
    text.starts_with('$')
        && !text.contains([':', '/'])
        && !["image", "img", "tag"].iter().any(|part| name.contains(part))
        && ["opt", "arg", "flag", "volume", "mount", "env", "param"].iter().any(|part| name.contains(part))
}

fn pull(words: &[Word], out: &mut Out) {
    let args = Args::read(words, &[Spec { leading: false, ..RUN }]);
    args.rest(0).for_each(|word| image(word, out));
}

fn exec(words: &[Word]) -> Option<Inner<'_>> {
    let args = Args::read(words, &[RUN]);
    Inner::command(args.tail(1, words))
}

fn build(words: &[Word], command: &str, out: &mut Out) {
    // `docker buildx b` is short for `build`; `docker b` is nothing.
    if command == "b" && words.is_empty() {
        return;
    }
    let args = Args::read(words, &[BUILD]);
    let cached = args.values(&["--cache-from"]).next().is_some();
    let build = BuildImage {
        file: args.value(&["-f", "--file"]).cloned(),
        context: args.word(0).cloned(),
        tags: args.values(&["-t", "--tag"]).cloned().collect(),
        pull: args.has(&["--pull", "--pull-always"]),
        args: args.values(&["--build-arg"]).cloned().collect(),
        contexts: args.values(&["--build-context"]).cloned().collect(),
        cached,
    };
    out.deed(Deed::BuildImage(build));
    out.deed(Deed::Check { kind: CheckKind::Build, tool: "docker build".to_string() });
}

/// `docker compose [-f file] up|build|pull`: which services it starts is in its files. When services are named, the others do not run, and
/// nothing is said of the file.
fn compose<'c>(words: &'c [Word], out: &mut Out) -> Option<Inner<'c>> {
    let args = Args::read(words, &[COMPOSE]);
    let tail = args.tail(0, words).get(1..).unwrap_or(&[]);
    match args.text(0) {
        "up" | "build" | "pull" | "create" => {
            if Args::read(tail, &[UP]).plain.is_empty() {
                out.entry("compose", texts(args.values(&["-f", "--file"])));
            }
            None
        }
        "run" | "exec" => exec(tail),
        _ => None,
    }
}

/// Options of `docker buildx bake` with a value.
const BAKE: Spec = Spec {
    long: &["--allow", "--builder", "--call", "--file", "--list", "--metadata-file", "--progress", "--set"],
    short: "f",
    leading: false,
    greedy: false,
    flags: &[],
    single_dash: false,
};

/// Options of skaffold with a value.
const SKAFFOLD: Spec = Spec {
    long: &[
        "--build-artifacts",
        "--build-image",
        "--default-repo",
        "--file-output",
        "--filename",
        "--module",
        "--namespace",
        "--profile",
        "--tag",
    ],
    short: "abdfimnpt",
    ..BAKE
};

/// `skaffold build|run|… [-f file]`: what it builds stands in its file. <https://skaffold.dev/docs/references/cli/>
pub fn read_skaffold<'c>(call: &Call<'c>, out: &mut Out) -> Option<Inner<'c>> {
    let args = Args::read(call.args(), &[SKAFFOLD]);
    if matches!(args.text(0), "build" | "run" | "dev" | "debug" | "test" | "verify" | "render") {
        out.entry("skaffold", texts(args.values(&["-f", "--filename"])));
    }
    None
}

/// Options of `docker compose up` and `build` with a value.
const UP: Spec = Spec {
    long: &[
        "--attach",
        "--exit-code-from",
        "--no-attach",
        "--pull",
        "--scale",
        "--timeout",
        "--wait-timeout",
        "--build-arg",
        "--builder",
        "--memory",
        "--ssh",
        "--policy",
        "--progress",
    ],
    short: "tm",
    leading: false,
    greedy: false,
    flags: &[],
    single_dash: false,
};

/// What `skopeo copy`, `crane pull` and `apptainer exec` fetch.
pub fn read_other<'c>(call: &Call<'c>, out: &mut Out) -> Option<Inner<'c>> {
    let args = Args::read(call.args(), &[Spec { greedy: true, flags: FLAGS, short: "BbiHSWeoW", ..Spec::default() }]);
    let command = args.text(0);
    match (call.program, command) {
        // `inspect` only asks what a tag is today, as those do who pin it.
        ("skopeo", "copy") if args.text(1).starts_with("docker://") => image(args.word(1)?, out),
        ("crane", "pull" | "copy" | "cp" | "export") => image(args.word(1)?, out),
        ("apptainer" | "singularity", "pull" | "build") => {
            args.rest(1).filter(|word| is_remote(word)).for_each(|word| image(word, out))
        }
        ("apptainer" | "singularity", "exec" | "run") => {
            let place = 1;
            if args.word(place).is_some_and(is_remote) {
                image(args.word(place)?, out);
            }
            return Inner::command(args.tail(place + 1, call.args()));
        }
        _ => {}
    }
    None
}

const FLAGS: &[&str] = &[
    "--all",
    "--quiet",
    "--insecure-policy",
    "--preserve-digests",
    "--remove-signatures",
    "--force",
    "--fakeroot",
    "--nv",
    "--cleanenv",
    "--contain",
    "--containall",
    "--no-home",
    "--writable",
    "--writable-tmpfs",
    "--debug",
    "--insecure",
    "--raw",
    "--config",
    "--no-mount",
    "--sandbox",
    "--src-tls-verify",
    "--dest-tls-verify",
    "--rocm",
    "--pid",
    "--ipc",
    "--userns",
    "--disable-cache",
    "--src-no-creds",
];

fn is_remote(word: &Word) -> bool {
    word.text.text.starts_with("docker://")
}
