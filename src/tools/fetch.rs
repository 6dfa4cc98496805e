//! curl, wget, git clone: what a script fetches by itself. What is done with it afterwards is in `later`.

use super::args::{Args, Spec};
use super::{Call, Inner, Out};
use crate::ecosystems::{git, pypi};
use crate::model::pin::Strength;
use crate::model::reference::{Ecosystem, Origin, Reference, Role, Slot};
use crate::model::script::{Deed, Download, Word};
use crate::model::text::Text;
use std::ops::Range;

/// curl's options with a value (`curl --help all`, 8).
pub const CURL: Spec = Spec {
    long: &[
        "--abstract-unix-socket",
        "--alt-svc",
        "--aws-sigv4",
        "--cacert",
        "--capath",
        "--cert",
        "--cert-type",
        "--ciphers",
        "--config",
        "--connect-timeout",
        "--connect-to",
        "--continue-at",
        "--cookie",
        "--cookie-jar",
        "--create-file-mode",
        "--crlfile",
        "--curves",
        "--data",
        "--data-ascii",
        "--data-binary",
        "--data-raw",
        "--data-urlencode",
        "--delegation",
        "--dns-interface",
        "--dns-servers",
        "--doh-url",
        "--dump-header",
        "--engine",
        "--etag-compare",
        "--etag-save",
        "--form",
        "--form-string",
        "--header",
        "--hostpubmd5",
        "--hsts",
        "--interface",
        "--json",
        "--keepalive-time",
        "--key",
        "--key-type",
        "--krb",
        "--libcurl",
        "--limit-rate",
        "--local-port",
        "--login-options",
        "--max-filesize",
        "--max-redirs",
        "--max-time",
        "--netrc-file",
        "--noproxy",
        "--oauth2-bearer",
        "--output",
        "--output-dir",
        "--parallel-max",
        "--pass",
        "--pinnedpubkey",
        "--proto",
        "--proto-default",
        "--proto-redir",
        "--proxy",
        "--proxy-cacert",
        "--proxy-header",
        "--proxy-user",
        "--pubkey",
        "--quote",
        "--range",
        "--rate",
        "--referer",
        "--request",
        "--request-target",
        "--resolve",
        "--retry",
        "--retry-delay",
        "--retry-max-time",
        "--service-name",
        "--socks4",
        "--socks5",
        "--speed-limit",
        "--speed-time",
        "--stderr",
        "--tls-max",
        "--tls13-ciphers",
        "--trace",
        "--trace-ascii",
        "--unix-socket",
        "--upload-file",
        "--url",
        "--url-query",
        "--user",
        "--user-agent",
        "--variable",
        "--write-out",
    ],
    short: "EKCbcdDFPHmoUQreXYytzTuAwhx",
    leading: false,
    greedy: false,
    flags: &[],
    single_dash: false,
};

/// wget's options with a value; with one dash they may be clustered (`-qO-`).
pub const WGET: Spec = Spec {
    long: &[
        "--execute",
        "--output-file",
        "--append-output",
        "--report-speed",
        "--input-file",
        "--base",
        "--config",
        "--tries",
        "--retry-on-http-error",
        "--output-document",
        "--start-pos",
        "--timeout",
        "--dns-timeout",
        "--connect-timeout",
        "--read-timeout",
        "--wait",
        "--waitretry",
        "--quota",
        "--bind-address",
        "--limit-rate",
        "--user",
        "--password",
        "--directory-prefix",
        "--cut-dirs",
        "--http-user",
        "--http-password",
        "--header",
        "--compression",
        "--referer",
        "--user-agent",
        "--load-cookies",
        "--save-cookies",
        "--post-data",
        "--post-file",
        "--method",
        "--body-data",
        "--secure-protocol",
        "--certificate",
        "--private-key",
        "--ca-certificate",
        "--ca-directory",
        "--level",
        "--accept",
        "--reject",
        "--domains",
        "--include-directories",
        "--exclude-directories",
    ],
    short: "eoaiBtOTwQPUlARDIX",
    leading: false,
    greedy: false,
    flags: &[],
    single_dash: false,
};

/// git's options before the subcommand.
pub const GIT: Spec = Spec {
    long: &["--git-dir", "--work-tree", "--namespace", "--exec-path"],
    short: "Cc",
    leading: true,
    greedy: false,
    flags: &[],
    single_dash: false,
};

/// Options of `git clone` with a value.
pub const CLONE: Spec = Spec {
    long: &[
        "--branch",
        "--origin",
        "--upload-pack",
        "--depth",
        "--config",
        "--reference",
        "--reference-if-able",
        "--template",
        "--separate-git-dir",
        "--shallow-since",
        "--shallow-exclude",
        "--jobs",
        "--filter",
        "--server-option",
        "--bundle-uri",
        "--revision",
    ],
    short: "boucj",
    leading: false,
    greedy: false,
    flags: &[],
    single_dash: false,
};

/// What `curl …`, `wget …`, `git …` and `gh …` fetch.
pub fn read<'c>(call: &Call<'c>, out: &mut Out) -> Option<Inner<'c>> {
    match call.program {
        "curl" | "wget" => downloads(call, out),
        "git" => {
            let args = Args::read(call.args(), &[GIT]);
            if args.text(0) == "clone" {
                clone(&args.tail(0, call.args())[1..], out);
            }
        }
        _ if call.arg(0) == "repo" && call.arg(1) == "clone" => {
            if let Some(word) = call.args().get(2) {
                cloned(word, None, out);
            }
        }
        _ => {}
    }
    None
}

fn downloads(call: &Call, out: &mut Out) {
    let spec = if call.program == "curl" { CURL } else { WGET };
    let args = Args::read(call.args(), &[spec]);
    // Asking for headers, sending data or checking health fetches nothing that is kept.
    let sends = [
        "-I",
        "--head",
        "-T",
        "--upload-file",
        "-F",
        "--form",
        "--spider",
        "-d",
        "--data",
        "--data-raw",
        "--data-binary",
        "--json",
    ];
    let method = args.value(&["-X", "--request"]).is_some_and(|word| word.text.text != "GET");
    if method || args.has(&sends) && call.program == "curl" || args.has(&["--spider"]) {
        return;
    }
    let urls: Vec<Word> = args.values(&["--url"]).chain(args.rest(0)).filter(|word| is_url(word)).cloned().collect();
    for url in urls {
        if let Some(reference) = hosted(&url.text) {
            out.push(reference);
        }
        out.deed(Deed::Download(Download { url, run_by: None, verified: false, kept_as: Vec::new() }));
    }
}

fn is_url(word: &Word) -> bool {
    let text = word.text.text.as_str();
    let host = text.split('/').next().unwrap_or("");
    text.contains("://")
        || text.starts_with('$')
        || host.contains('.') && !host.starts_with('.') && !host.starts_with("127.")
}

/// A file of a repository on GitHub: `owner/repo` held by the tag, branch or commit in the URL.
fn hosted(url: &Text) -> Option<Reference> {
    let text = url.text.as_str();
    let start = text.find("://").map_or(0, |at| at + 3);
    let parts: Vec<Range<usize>> = pieces(text, start);
    let piece = |number: usize| parts.get(number).map(|range| &text[range.clone()]);
    let (owner, repo) = (piece(1)?, piece(2)?);
    let at = match (piece(0)?, piece(3)?, piece(4)) {
        ("raw.githubusercontent.com", "refs", Some("heads" | "tags")) => 5,
        ("raw.githubusercontent.com", _, _) => 3,
        ("github.com", "releases", Some("download")) => 5,
        ("github.com", "releases", Some("latest")) => 4,
        ("github.com", "raw" | "archive" | "blob", Some("refs")) => 6,
        ("github.com", "raw" | "archive" | "blob", _) => 4,
        _ => return None,
    };
    let place = parts.get(at)?.clone();
    let archive =
        [".tar.gz", ".zip"].into_iter().find(|end| piece(3) == Some("archive") && text[place.clone()].ends_with(end));
    let place = place.start..place.end - archive.map_or(0, str::len);
    let version = &text[place.clone()];
    if pypi::is_computed(owner) || pypi::is_computed(repo) {
        return None;
    }
    let mut reference = Reference::new(Ecosystem::Git, format!("{owner}/{repo}"), Role::Download, url.at);
    reference.origin = Origin::Url(pypi::without_credentials(text));
    reference.strength = if pypi::is_computed(version) { None } else { Some(git::ref_strength(version)) };
    // A release is made once: what moves a tag `v1.2` for others does not move its files.
    let released =
        piece(3) == Some("releases") && version.contains('.') && version.bytes().any(|byte| byte.is_ascii_digit());
    if released && reference.strength.is_some() {
        reference.strength = reference.strength.max(Some(Strength::Exact));
    }
    reference.pin.version = Some(version.to_string());
    if git::is_commit(version) {
        reference.pin.digests = vec![version.to_string()];
    }
    reference.site.version = url.verbatim.then(|| Slot { at: url.place(place), lead: "" });
    Some(reference)
}

/// The parts of a URL between slashes, the host first, without query and fragment.
fn pieces(text: &str, start: usize) -> Vec<Range<usize>> {
    let end = text[start..].find(['?', '#']).map_or(text.len(), |at| start + at);
    let mut at = start;
    let mut list = Vec::new();
    for piece in text[start..end].split('/') {
        list.push(at..at + piece.len());
        at += piece.len() + 1;
    }
    list
}

fn clone(words: &[Word], out: &mut Out) {
    let args = Args::read(words, &[CLONE]);
    if let Some(url) = args.word(0) {
        cloned(url, args.value(&["-b", "--branch", "--revision"]), out);
    }
}

fn cloned(url: &Word, rev: Option<&Word>, out: &mut Out) {
    let text = url.text.text.as_str();
    // A path on the machine fetches nothing.
    if text.starts_with(['.', '/']) && !text.starts_with("//") {
        return;
    }
    let name = if pypi::is_computed(text) && !text.contains("://") { text.to_string() } else { git::name_of(text) };
    let mut reference = match rev {
        Some(rev) => git::pinned_at(&name, &rev.text, None, Role::Clone, ""),
        None => Reference::new(Ecosystem::Git, name, Role::Clone, url.text.at),
    };
    reference.site.note = None;
    reference.origin = Origin::Vcs(pypi::without_credentials(text));
    if rev.is_some_and(|rev| rev.expands) {
        reference.strength = None;
    } else if rev.is_none() {
        // Without a ref it is the newest commit of the default branch; of what, an expression may decide.
        let unseen = pypi::is_computed(text) && !text.contains("://");
        reference.strength = if unseen { None } else { Some(Strength::Unspecified) };
    }
    let id = out.push(reference);
    out.deed(Deed::Clone(id));
}
