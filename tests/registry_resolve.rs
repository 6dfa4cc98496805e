//! `pinguard lock` against the real index, at a date in the past so that answers stay.
#![allow(clippy::disallowed_methods, reason = "tests touch the disk and start programs")]

mod support;

use support::Sandbox;

#[test]
fn a_known_set_comes_out_of_the_real_index() {
    let sandbox = Sandbox::new("resolve").file("a.in", "flask==3.0.3\nrequests[socks]<2.32\n");
    let home = sandbox.0.join("home");
    let home = home.to_str().expect("text");
    let arguments = ["lock", "a.in", "--python", "3.12", "--platform", "linux", "--exclude-newer", "2024-06-01"];
    let run = sandbox.run_in(&[("HOME", home), ("XDG_CACHE_HOME", "")], &arguments);
    assert_eq!(run.code, 0, "{}", run.err);
    let pins: Vec<&str> = run.out.lines().filter(|line| line.contains("==") && !line.starts_with('#')).collect();
    let expected = [
        "blinker==1.8.2",
        "certifi==2024.2.2",
        "charset-normalizer==3.3.2",
        "click==8.1.7",
        "flask==3.0.3",
        "idna==3.7",
        "itsdangerous==2.2.0",
        "jinja2==3.1.4",
        "markupsafe==2.1.5",
        "pysocks==1.7.1",
        "requests==2.31.0",
        "urllib3==2.2.1",
        "werkzeug==3.0.3",
    ];
    assert_eq!(pins, expected);
}
