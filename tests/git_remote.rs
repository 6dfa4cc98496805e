//! Commits as objects and pushes against a real git server over smart HTTP, with a token.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests touch the disk, start programs, and may panic"
)]

mod support;
use pinguard::world::credential::Token;
use pinguard::world::failure::Failure;
use pinguard::world::git::{Author, EntryKind, Local, Origin, Push, Rejected, Remote, Scratch};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use support::git_host::{GitHost, TOKEN, basic, git};
use support::{Sandbox, tree_of};

/// A server and a clone of it with dirty and staged files.
struct World {
    sandbox: Sandbox,
    server: GitHost,
    clone: PathBuf,
}

fn world(name: &str, private: bool) -> World {
    let sandbox = Sandbox::new(name);
    let server = GitHost::start(&sandbox.0, private);
    let clone = sandbox.0.join("clone");
    fs::create_dir_all(&clone).unwrap();
    git(&clone, &["init", "--quiet", "."]);
    for (path, text) in [("Dockerfile", "FROM python:3.12\n"), ("ci/run.sh", "#!/bin/sh\n"), ("a/b/c.txt", "deep\n")] {
        fs::create_dir_all(clone.join(path).parent().unwrap()).unwrap();
        fs::write(clone.join(path), text).unwrap();
    }
    fs::set_permissions(clone.join("ci/run.sh"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    std::os::unix::fs::symlink("Dockerfile", clone.join("Link")).unwrap();
    git(&clone, &["add", "."]);
    git(&clone, &["commit", "--quiet", "-m", "first"]);
    git(&clone, &["remote", "add", "origin", &server.url()]);
    git(&server.bare, &["fetch", "--quiet", clone.to_str().unwrap(), "main:main"]);
    fs::write(clone.join("Dockerfile"), "FROM scratch\n").unwrap();
    fs::write(clone.join("new.txt"), "staged\n").unwrap();
    git(&clone, &["add", "new.txt"]);
    World { sandbox, server, clone }
}

fn author() -> Author {
    Author { name: "pinguard".into(), email: "pinguard@localhost".into() }
}

fn files(text: &str) -> BTreeMap<String, Vec<u8>> {
    BTreeMap::from([("Dockerfile".into(), text.into()), ("ci/run.sh".into(), "#!/bin/bash\n".into())])
}

fn token(text: &str) -> Option<Token> {
    Some(Token::new(text))
}

impl World {
    fn scratch(&self) -> (Local, Scratch) {
        let local = Local::open(&self.clone).unwrap();
        let scratch = Scratch::beside(&local).unwrap();
        (local, scratch)
    }

    fn base(&self) -> git2::Oid {
        git2::Oid::from_str(&git(&self.server.bare, &["rev-parse", "main"])).unwrap()
    }
}

#[test]
fn a_commit_is_a_function_of_its_input_and_the_repository_stays_as_it_is() {
    let world = world("git-commit", false);
    let before = tree_of(&world.clone);
    let commit = || {
        let (_, scratch) = world.scratch();
        let id = scratch.commit(world.base(), &files("FROM python:3.13\n"), "raise", &author()).unwrap().unwrap();
        assert_eq!(scratch.origin(id).unwrap(), Origin::Ours);
        assert_eq!(scratch.origin(world.base()).unwrap(), Origin::Foreign);
        let entries = scratch.entries(id).unwrap();
        let kind = |path: &str| entries.iter().find(|entry| entry.path == path).map(|entry| entry.kind);
        assert_eq!(kind("ci/run.sh"), Some(EntryKind::Executable));
        assert_eq!(kind("Link"), Some(EntryKind::Link));
        assert_eq!(kind("a/b/c.txt"), Some(EntryKind::File));
        let same = files("FROM python:3.12\n").into_iter().filter(|(path, _)| path == "Dockerfile").collect();
        assert_eq!(scratch.commit(world.base(), &same, "nothing", &author()).unwrap(), None);
        id
    };
    assert_eq!(commit(), commit());
    assert_eq!(tree_of(&world.clone), before, "the repository, its index and its work tree are untouched");
}

#[test]
fn branches_are_pushed_moved_and_deleted_only_from_where_they_were() {
    let world = world("git-push", true);
    let before = tree_of(&world.clone);
    let (local, scratch) = world.scratch();
    let remote = Remote::of(&scratch, &local, "origin", token(TOKEN).as_ref()).unwrap();
    let name = "refs/heads/pinguard/python".to_string();
    let one = scratch.commit(world.base(), &files("FROM python:3.13\n"), "one", &author()).unwrap();
    let two = scratch.commit(world.base(), &files("FROM python:3.14\n"), "two", &author()).unwrap();
    let push = |from, to| remote.push(&scratch, &Push { name: name.clone(), from, to });
    assert_eq!(push(None, one), Ok(()));
    assert_eq!(push(None, two), Err(Rejected::Moved), "it is there already");
    assert_eq!(push(two, two), Err(Rejected::Moved), "it is elsewhere");
    assert_eq!(push(one, two), Ok(()));
    let listing = remote.list(&scratch, &["refs/heads/pinguard/*"]).unwrap();
    assert_eq!(listing.default.as_deref(), Some("main"));
    assert_eq!(listing.refs.iter().map(|branch| Some(branch.commit)).collect::<Vec<_>>(), [two]);
    // Another clone, which has none of these objects, brings them and knows whose they are.
    let (local, fresh) = world.scratch();
    let again = Remote::of(&fresh, &local, "origin", token(TOKEN).as_ref()).unwrap();
    assert!(!fresh.has(two.unwrap()));
    again.fetch(&fresh, &listing.refs[0]).unwrap();
    assert_eq!(fresh.origin(two.unwrap()).unwrap(), Origin::Ours);
    assert_eq!(push(two, None), Ok(()));
    assert!(world.server.refs("refs/heads/pinguard").is_empty());
    assert_eq!(tree_of(&world.clone), before, "the repository, its index and its work tree are untouched");
}

#[test]
fn the_header_that_a_checkout_leaves_is_used_and_a_token_goes_before_it() {
    let world = world("git-header", true);
    let push = |given: Option<&Token>| {
        let (local, scratch) = world.scratch();
        let remote = Remote::of(&scratch, &local, "origin", given)?;
        remote.list(&scratch, &[])
    };
    assert!(matches!(push(None), Err(Failure::Unauthorized { .. })));
    assert!(matches!(push(token("wrong").as_ref()), Err(Failure::Unauthorized { .. })));
    let key = format!("http.{}/.extraheader", world.server.host.url());
    git(&world.clone, &["config", &key, &basic(TOKEN)]);
    assert!(push(None).is_ok(), "extraheader");
    git(&world.clone, &["config", &key, &basic("expired")]);
    assert!(matches!(push(None), Err(Failure::Unauthorized { .. })));
    assert!(push(token(TOKEN).as_ref()).is_ok(), "the token replaces the header");
    git(&world.clone, &["config", "--unset", &key]);
    let helper = format!("!f() {{ echo username=me; echo password={TOKEN}; }}; f");
    git(&world.clone, &["config", "credential.helper", &helper]);
    assert!(push(None).is_ok(), "credential helper");
}

/// The program that git starts for ssh is asked for the right host and command, and what it does there is a push.
#[test]
fn branches_are_pushed_over_ssh() {
    let world = world("git-ssh", true);
    let script = world.sandbox.0.join("ssh");
    let log = world.sandbox.0.join("ssh.log");
    let text = format!("#!/bin/sh\necho \"$*\" >> {}\nfor last; do :; done\nexec sh -c \"$last\"\n", log.display());
    std::fs::write(&script, text).unwrap();
    std::process::Command::new("chmod").arg("+x").arg(&script).status().unwrap();
    git(&world.clone, &["config", "core.sshCommand", script.to_str().unwrap()]);
    git(&world.clone, &["config", "ssh.variant", "ssh"]);
    let bare = world.server.bare.display();
    for (at, address) in
        [format!("ssh://git@forge.example{bare}"), format!("git@forge.example:{bare}")].iter().enumerate()
    {
        git(&world.clone, &["remote", "set-url", "origin", address]);
        let (local, scratch) = world.scratch();
        // A token for https is no business of ssh.
        let remote = Remote::of(&scratch, &local, "origin", token(TOKEN).as_ref()).unwrap();
        assert_eq!(&remote.address, address);
        let to = scratch.commit(world.base(), &files("FROM python:3.13\n"), "one", &author()).unwrap();
        let name = format!("refs/heads/pinguard/ssh-{at}");
        assert_eq!(remote.push(&scratch, &Push { name, from: None, to }), Ok(()));
    }
    assert_eq!(world.server.refs("refs/heads/pinguard").len(), 2);
    let said = std::fs::read_to_string(log).unwrap();
    assert!(said.lines().all(|line| line.contains("git@forge.example") && line.contains("git-receive-pack")), "{said}");
    assert!(!said.contains(TOKEN), "{said}");
}

#[test]
fn refusals_are_said_in_the_words_of_the_remote_and_without_the_token() {
    let world = world("git-refused", false);
    world.server.refuse("[ \"$ref\" = refs/heads/pinguard/python ]", "this branch is protected");
    let (local, scratch) = world.scratch();
    let remote = Remote::of(&scratch, &local, "origin", token(TOKEN).as_ref()).unwrap();
    let to = scratch.commit(world.base(), &files("FROM python:3.13\n"), "one", &author()).unwrap();
    let refused = remote.push(&scratch, &Push { name: "refs/heads/pinguard/python".into(), from: None, to });
    let Err(Rejected::Refused(why)) = refused else { panic!("{refused:?}") };
    assert!(why.contains("this branch is protected") && !why.contains(TOKEN), "{why}");
    assert!(remote.push(&scratch, &Push { name: "refs/heads/pinguard/other".into(), from: None, to }).is_ok());
    let url = format!("http://me:{TOKEN}@127.0.0.1:1/acme/shop.git");
    git(&world.clone, &["remote", "set-url", "origin", &url]);
    let (local, scratch) = world.scratch();
    let remote = Remote::of(&scratch, &local, "origin", None).unwrap();
    let failure = remote.list(&scratch, &[]).unwrap_err();
    assert!(matches!(failure, Failure::Unreachable { .. }), "{failure:?}");
    assert!(!failure.to_string().contains(TOKEN) && !remote.address.contains(TOKEN), "{failure}");
    assert!(Remote::of(&scratch, &local, "upstream", None).is_err());
}

#[test]
fn shallow_clones_and_worktrees_work() {
    let world = world("git-shallow", false);
    git(&world.clone, &["commit", "--quiet", "-m", "second"]);
    git(&world.server.bare, &["fetch", "--quiet", world.clone.to_str().unwrap(), "main:main"]);
    let shallow = world.sandbox.0.join("shallow");
    git(&world.sandbox.0, &["clone", "--quiet", "--depth=1", &world.server.url(), shallow.to_str().unwrap()]);
    let tree = world.sandbox.0.join("tree");
    git(&world.clone, &["worktree", "add", "--quiet", "-b", "side", tree.to_str().unwrap()]);
    for (at, folder) in [shallow, tree].iter().enumerate() {
        push_from(&world, folder, &format!("refs/heads/pinguard/{at}"));
    }
    assert_eq!(world.server.refs("refs/heads/pinguard").len(), 2);
}

fn push_from(world: &World, folder: &Path, name: &str) {
    let before = tree_of(folder);
    let local = Local::open(folder).unwrap();
    let scratch = Scratch::beside(&local).unwrap();
    let remote = Remote::of(&scratch, &local, "origin", token(TOKEN).as_ref()).unwrap();
    let to = scratch.commit(world.base(), &files("FROM python:3.13\n"), name, &author()).unwrap();
    assert_eq!(remote.push(&scratch, &Push { name: name.into(), from: None, to }), Ok(()));
    assert_eq!(tree_of(folder), before);
}
