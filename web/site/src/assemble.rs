//! Writes the site into a folder.
//!
//! Every file but the page has a hash of its content in its name, so a browser or a proxy that keeps
//! files of an older site never mixes them with new ones, and a server may let them be kept for
//! ever.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use crate::bind::{Binder, Bound, hash};
use crate::html;
use crate::layout::Layout;

/// A text that only the page of such a site contains.
pub const MARK: &str = "id=\"start-script\"";
/// Name of the page in the site.
pub const PAGE: &str = "index.html";

/// Writes the site into `out`, in place of the site that is there.
///
/// # Errors
/// If `out` contains something else, a file is missing, or a program cannot be made ready.
pub fn assemble(layout: &Layout, root: &Path, binder: &Binder, out: &Path) -> Result<()> {
    fs::create_dir_all(out)?;
    let old = entries(out)?;
    let is_site = fs::read_to_string(out.join(PAGE)).is_ok_and(|page| page.contains(MARK));
    ensure!(
        old.is_empty() || is_site,
        "{} holds something that is not a playground; name an empty or a new folder",
        out.display()
    );

    let programs = layout.programs.iter().copied();
    let programs = programs.chain(layout.workers.iter().map(|worker| worker.program));
    let bound = programs.map(|program| Ok((program, binder.bind(program)?)));
    let bound: BTreeMap<&str, Bound> = bound.collect::<Result<_>>()?;
    // Files of the site that are not the programs', with their content.
    let mut files = BTreeMap::new();
    // Names in the page, and the files' names in the site.
    let mut names = BTreeMap::new();
    for (program, bound) in &bound {
        names.insert(format!("site:{program}.js"), bound.script());
        names.insert(format!("site:{program}_bg.wasm"), bound.code());
    }
    for worker in layout.workers {
        let text = read(&root.join(worker.script))?;
        let imported = format!("\"./{}.js\"", worker.program);
        ensure!(text.contains(&imported), "{} does not import {imported}", worker.script);
        let bound = bound.get(worker.program).context("every program of a worker is bound")?;
        let text = text.replace(&imported, &format!("\"./{}\"", bound.script()));
        let name = hashed(worker.script, text.as_bytes());
        names.insert(format!("site:{}", worker.key), name.clone());
        files.insert(name, text.into_bytes());
    }
    let page = html::rewrite(&read(&root.join(layout.page))?, |value| {
        if let Some(name) = names.get(value) {
            return Ok(format!("./{name}"));
        }
        let file = root.join(value);
        if value.starts_with("site:") || !file.is_file() {
            bail!("{} names {value}, and there is no such file", layout.page);
        }
        let bytes = fs::read(file)?;
        let name = hashed(value, &bytes);
        files.insert(name.clone(), bytes);
        Ok(format!("./{name}"))
    })?;

    for path in old {
        if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) }
            .with_context(|| format!("{} cannot be removed", path.display()))?;
    }
    // The page is first: should the rest fail, the folder is still known as a site and can be
    // replaced.
    let page = std::iter::once((PAGE, page.as_bytes()));
    for (name, content) in page.chain(files.iter().map(|(name, bytes)| (name.as_str(), &**bytes))) {
        let path = out.join(name);
        fs::write(&path, content)
            .with_context(|| format!("{} cannot be written", path.display()))?;
    }
    bound.values().try_for_each(|bound| copy(&bound.folder, out))
}

/// `web/style/base.css` becomes `base-0123456789abcdef.css`.
fn hashed(path: &str, content: &[u8]) -> String {
    let file = path.rsplit('/').next().unwrap_or(path);
    let (stem, extension) = file.rsplit_once('.').unwrap_or((file, ""));
    format!("{stem}-{}.{extension}", hash(&[content]))
}

/// What is in a folder, without hidden files: a folder of a git repository stays one.
fn entries(folder: &Path) -> Result<Vec<std::path::PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if !entry.file_name().to_string_lossy().starts_with('.') {
            found.push(entry.path());
        }
    }
    Ok(found)
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for path in entries(from)? {
        let target = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy(&path, &target)?;
        } else {
            fs::copy(&path, &target)
                .with_context(|| format!("{} cannot be written", target.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::layout::{PLAYGROUND, Worker};
    use crate::trial::Folder;

    const LAYOUT: Layout = Layout {
        page: "index.html",
        programs: &["page"],
        workers: &[Worker { key: "helper", program: "work", script: "web/helper.js" }],
    };

    struct Trial {
        folder: Folder,
        binder: Binder,
    }

    impl Trial {
        fn new() -> Self {
            let folder = Folder::new();
            let root = folder.path();
            for program in ["page", "work"] {
                fs::write(root.join(format!("{program}.wasm")), b"\0asm\x01\0\0\0")
                    .expect("written");
            }
            fs::create_dir(root.join("web")).expect("made");
            fs::write(root.join("web/a.css"), "a {}").expect("written");
            fs::write(root.join("web/helper.js"), "import init from \"./work.js\";")
                .expect("written");
            let page = r#"<link href="web/a.css"><script id="start-script" data-program="site:page.js"
                data-code="site:page_bg.wasm" data-helper="site:helper"></script>"#;
            fs::write(root.join("index.html"), page).expect("written");
            let (compiled, kept) = (root.to_owned(), root.join("kept"));
            Self { folder, binder: Binder { compiled, kept, wasm_opt: None } }
        }

        fn out(&self) -> PathBuf {
            self.folder.path().join("out")
        }

        fn assemble(&self) -> Result<BTreeMap<String, String>> {
            assemble(&LAYOUT, self.folder.path(), &self.binder, &self.out())?;
            let files = entries(&self.out())?.into_iter().map(|path| {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                Ok((name, String::from_utf8_lossy(&fs::read(path)?).into_owned()))
            });
            files.collect()
        }
    }

    #[test]
    fn the_page_names_every_file_of_the_site_and_only_those() {
        let trial = Trial::new();
        let mut files = trial.assemble().expect("assembled");
        let page = files.remove(PAGE).expect("there");
        // The page, a style sheet, two programs of two files each, and the script of the worker.
        assert_eq!(files.len(), 6, "{:?}", files.keys());
        let named = page.split('"').filter_map(|value| value.strip_prefix("./"));
        let named: Vec<&str> = named.collect();
        assert_eq!(named.len(), 4);
        for name in &named {
            assert!(files.contains_key(*name), "{name}: {:?}", files.keys());
        }
        let helper = files.get(named[3]).expect("there");
        let script = helper.split('"').nth(1).and_then(|name| name.strip_prefix("./"));
        assert!(files.contains_key(script.expect("relative")), "{helper}");
    }

    #[test]
    fn a_new_content_gets_a_new_name_up_to_the_script_of_the_worker() {
        let trial = Trial::new();
        let before = trial.assemble().expect("assembled");
        assert_eq!(trial.assemble().expect("again"), before);
        fs::write(trial.out().join(".nojekyll"), "").expect("written");
        fs::write(trial.folder.path().join("work.wasm"), b"\0asm\x01\0\0\0\0\x02\x01x")
            .expect("written");
        let after = trial.assemble().expect("assembled");
        assert!(trial.out().join(".nojekyll").is_file(), "hidden files stay");
        let new = after.keys().filter(|name| !before.contains_key(*name)).count();
        assert_eq!(new, 3, "the program's two files and the worker's script");
        assert_eq!(after.len(), before.len(), "nothing old is left");
    }

    #[test]
    fn a_folder_with_something_else_stays_as_it_is() {
        let trial = Trial::new();
        fs::create_dir(trial.out()).expect("made");
        for name in ["notes.txt", PAGE] {
            fs::write(trial.out().join(name), "<html>mine</html>").expect("written");
            let error = trial.assemble().expect_err("refused").to_string();
            assert!(error.contains("not a playground"), "{error}");
            assert!(trial.out().join("notes.txt").is_file());
        }
    }

    #[test]
    fn a_page_that_names_a_file_that_is_not_there_is_refused() {
        let trial = Trial::new();
        for name in ["web/b.css", "site:b.js"] {
            let page = format!("<link href=\"{name}\">");
            fs::write(trial.folder.path().join("index.html"), page).expect("written");
            let error = trial.assemble().expect_err("refused").to_string();
            assert!(error.contains(name), "{error}");
            assert!(entries(&trial.out()).expect("made").is_empty(), "nothing is written");
        }
    }

    #[test]
    fn the_scripts_of_the_workers_import_their_programs() {
        let root =
            Path::new(&std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("../..");
        for worker in PLAYGROUND.workers {
            let text = read(&root.join(worker.script)).expect("there");
            assert!(text.contains(&format!("\"./{}.js\"", worker.program)), "{}", worker.script);
        }
        let page = read(&root.join(PLAYGROUND.page)).expect("there");
        assert!(page.contains(MARK), "a folder with this page can be replaced");
    }
}
