use super::*;
use crate::diagnostics::queue::{MAX_RESUMED, MAX_WAITING};
use crate::diagnostics::settings::{FilePlace, FileSettings};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;

/// A thread whose logger hands each message over, and waits for the other side.
fn writer() -> (Arc<Writer>, mpsc::Receiver<String>) {
    let (send, receive) = mpsc::sync_channel(0);
    let logger = move |level: Level, message: &str| {
        let _ = send.send(format!("{level} {message}"));
    };
    (writer_to(logger), receive)
}

fn writer_to(logger: impl Fn(Level, &str) + Send + Sync + 'static) -> Arc<Writer> {
    Writer::new(&LogSettings::default(), Some(SharedLogger(Arc::new(logger))), || {}, IDLE)
}

fn handle(writer: &Arc<Writer>) -> SinkHandle {
    SinkHandle { writer: Arc::clone(writer), before: None, after: LogSettings::default() }
}

fn entry(text: &str) -> Entry {
    Entry::new(Level::Warn, format_args!("{text}"))
}

/// The number used to be told when all that waited was written: of a flood that went on for hours, never.
#[test]
fn who_reports_never_waits_and_what_is_lost_is_counted_in_its_place() {
    let (writer, receive) = writer();
    let pushed = 20_000;
    let mut push = {
        let writer = Arc::clone(&writer);
        (0..pushed).map(move |number| writer.push(entry(&format!("{number:01000}"))))
    };
    // The number that comes next, and how often some were left out.
    let (mut next, mut gaps) = (0, 0);
    for batch in [pushed / 2, 3_000, 3_000, 3_000, 1_000] {
        assert_eq!(push.by_ref().take(batch).count(), batch);
        let bytes = writer.lock().bytes;
        assert!(bytes <= MAX_WAITING && bytes > MAX_RESUMED / 2, "{bytes}");
        for _ in 0..2_000 {
            read(&receive, &mut next, &mut gaps);
        }
    }
    while next < pushed {
        read(&receive, &mut next, &mut gaps);
    }
    assert_eq!(gaps, 4);
}

fn read(receive: &mpsc::Receiver<String>, next: &mut usize, gaps: &mut usize) {
    let message = receive.recv_timeout(Duration::from_secs(10)).unwrap();
    let message = message.strip_prefix("WARN ").unwrap();
    if let Some((count, _)) = message.split_once(" log lines lost: ") {
        *next += count.parse::<usize>().unwrap();
        *gaps += 1;
    } else {
        assert_eq!(message.parse(), Ok(*next));
        *next += 1;
    }
}

#[test]
fn a_wait_ends_at_its_limit_or_with_the_last_message() {
    let (writer, receive) = writer();
    writer.push(entry("one"));
    let handle = handle(&writer);
    handle.flush(Duration::from_millis(1));
    assert_eq!(writer.lock().popped, 0, "nobody took it");
    let reader = std::thread::spawn(move || receive.iter().collect::<Vec<_>>());
    handle.flush(Duration::from_secs(10));
    assert_eq!(writer.lock().popped, 1);
    writer.push(entry("two\nlines"));
    handle.close(Duration::from_secs(10));
    assert!(!writer.lock().is_running);
    drop((writer, handle));
    assert_eq!(reader.join().unwrap(), ["WARN one", r"WARN two\nlines"]);
}

#[test]
fn a_logger_that_panics_gets_the_next_message() {
    /// Panics once more when it is dropped.
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("again");
        }
    }
    let (send, receive) = mpsc::channel();
    let logger = move |_: Level, message: &str| {
        assert_ne!(message, "bad");
        if message == "worse" {
            std::panic::panic_any(Bomb);
        }
        let _ = send.send(message.to_owned());
    };
    let writer = writer_to(logger);
    for text in ["bad", "worse", "good"] {
        writer.push(entry(text));
    }
    assert_eq!(receive.recv_timeout(Duration::from_secs(10)).unwrap(), "good");
}

/// It would report for ever.
#[test]
fn a_logger_that_makes_the_library_report_ends() {
    let (send, receive) = mpsc::channel();
    let logger = move |_: Level, message: &str| {
        super::write(entry("from within"));
        let _ = send.send(message.to_owned());
    };
    let writer = writer_to(logger);
    writer.push(entry("from outside"));
    handle(&writer).close(Duration::from_secs(10));
    drop(writer);
    assert_eq!(receive.iter().collect::<Vec<_>>(), ["from outside"]);
}

/// Nothing is at rest where nothing is said.
#[test]
fn the_thread_begins_with_a_message_and_ends_without_more() {
    let (send, receive) = mpsc::channel();
    let logger = move |_: Level, message: &str| {
        let _ = send.send((message.to_owned(), std::thread::current().id()));
    };
    let logger = Some(SharedLogger(Arc::new(logger)));
    let writer = Writer::new(&LogSettings::default(), logger, || {}, Duration::ZERO);
    assert!(!writer.lock().is_running);
    let threads: Vec<_> = ["one", "two"]
        .into_iter()
        .map(|text| {
            writer.push(entry(text));
            writer.wait(Duration::from_secs(10), |queue, _| !queue.is_running);
            assert!(!writer.lock().is_running, "{text}");
            let (message, thread) = receive.try_recv().unwrap();
            assert_eq!(message, text);
            thread
        })
        .collect();
    assert_ne!(threads[0], threads[1]);
}

/// A logger is foreign code, and may hold a lock that nobody in the child gives back.
#[test]
fn a_forked_child_has_the_files_of_its_parent_and_not_its_logger() {
    let place = FilePlace::Path("log".into());
    let file = FileSettings { place, max_bytes: 1_000, level: Level::Debug };
    let parents = LogSettings { level: Level::Debug, file: Some(file), is_on_stderr: false, is_json: true };
    let child = of_child(&parents, false);
    let FilePlace::Path(path) = &child.file.as_ref().unwrap().place else { panic!("a path") };
    assert!(path.is_absolute() && path.ends_with("log"), "{path:?}");
    assert_eq!((child.level, child.is_on_stderr, child.is_json), (Level::Debug, false, true));
    let expected = LogSettings { is_json: true, ..LogSettings::default() };
    assert_eq!(of_child(&parents, true), expected);
}

fn writer_on(spawn: Spawn) -> (Arc<Writer>, mpsc::Receiver<String>) {
    let (send, receive) = mpsc::channel();
    let logger = move |_: Level, message: &str| {
        let _ = send.send(message.to_owned());
    };
    let writer = Arc::into_inner(writer_to(logger)).unwrap();
    (Arc::new(Writer { spawn, ..writer }), receive)
}

/// They were written by whoever reported them, who waited for a full stderr.
#[test]
fn messages_wait_for_a_thread_and_what_has_no_room_is_counted() {
    static ATTEMPTS: AtomicUsize = AtomicUsize::new(0);
    static HAS_THREADS: AtomicBool = AtomicBool::new(false);
    let (writer, receive) = writer_on(|body| {
        ATTEMPTS.fetch_add(1, Ordering::Relaxed);
        if HAS_THREADS.load(Ordering::Relaxed) { spawn(body) } else { Err(io::ErrorKind::WouldBlock.into()) }
    });
    let text = "x".repeat(1_000);
    let pushed = 10_000;
    for _ in 1..pushed {
        writer.push(entry(&text));
    }
    assert_eq!(ATTEMPTS.load(Ordering::Relaxed), 1, "tried once in half a minute");
    let kept = writer.lock().entries.len();
    assert!(writer.lock().bytes < MAX_WAITING + 1_000 && (3_000..5_000).contains(&kept), "{kept}");

    writer.lock().next_start = Some(Instant::now());
    writer.push(entry(&text));
    handle(&writer).flush(Duration::from_secs(60));
    assert_eq!(ATTEMPTS.load(Ordering::Relaxed), 3, "half a minute later, and at a flush");
    assert_eq!((writer.lock().entries.len(), receive.try_iter().count()), (kept, 0), "nobody writes");

    HAS_THREADS.store(true, Ordering::Relaxed);
    handle(&writer).flush(Duration::from_secs(60));
    handle(&writer).close(Duration::from_secs(60));
    let lines: Vec<String> = receive.try_iter().collect();
    assert_eq!(lines[0], text);
    let told = "no thread to write messages from: operation would block; they wait for one, up to 4 MiB";
    assert_eq!(lines.iter().filter(|line| *line == told).count(), 1);
    // That one was not pushed from outside.
    let lost = pushed - (kept - 1);
    assert_eq!(lines[kept..], [format!("{lost} log lines lost: more came than could be written")]);
}

#[test]
fn what_waits_in_vain_is_counted_at_the_end() {
    let (writer, receive) = writer_on(|_| Err(io::ErrorKind::WouldBlock.into()));
    writer.push(entry("one"));
    writer.push(entry("two"));
    writer.lock().is_closed = true;
    writer.push(entry("too late"));
    assert_eq!(writer.lock().give_up(), 4, "with the one about the thread");
    assert!(writer.lock().is_idle() && writer.lock().bytes == 0 && receive.try_recv().is_err());
}

/// They were left to themselves, and lost where the program ended first.
#[test]
fn messages_from_before_a_start_are_waited_for() {
    let (before, receive) = writer();
    let (after, _) = writer_on(spawn);
    before.push(entry("before"));
    let handle = SinkHandle { before: Some(Arc::clone(&before)), ..handle(&after) };
    let reader = std::thread::spawn(move || receive.iter().collect::<Vec<_>>());
    handle.flush(Duration::from_secs(10));
    assert_eq!(before.lock().popped, 1);
    before.push(entry("and again"));
    handle.close(Duration::from_secs(10));
    assert_eq!(before.lock().popped, 2);
    before.lock().is_closed = true;
    before.rung.notify_all();
    drop((before, handle));
    assert_eq!(reader.join().unwrap(), ["WARN before", "WARN and again"]);
}
