use super::*;
use std::sync::mpsc;

/// A thread whose logger hands each message over, and waits for the other side.
fn writer() -> (Arc<Writer>, mpsc::Receiver<String>) {
    let (send, receive) = mpsc::sync_channel(0);
    let logger = move |level: Level, message: &str| {
        let _ = send.send(format!("{level} {message}"));
    };
    let writer = Writer::start(&LogSettings::default(), Some(SharedLogger(Arc::new(logger))), || {});
    (writer.unwrap(), receive)
}

fn entry(text: &str) -> Entry {
    Entry::new(Level::Warn, format_args!("{text}"))
}

#[test]
fn who_reports_never_waits_and_what_is_lost_is_counted() {
    let (writer, receive) = writer();
    let text = "x".repeat(1_000);
    let pushed = 10_000;
    for _ in 0..pushed {
        writer.push(entry(&text));
    }
    let queue = writer.lock();
    assert!(queue.bytes <= MAX_WAITING && queue.bytes > MAX_WAITING - 2_000);
    drop(queue);
    let (mut kept, mut lost) = (0, 0);
    while kept + lost < pushed {
        let message = receive.recv_timeout(Duration::from_secs(10)).unwrap();
        match message.strip_prefix("WARN ").and_then(|message| message.split_once(" log lines lost: ")) {
            Some((count, _)) => lost += count.parse::<usize>().unwrap(),
            None => kept += 1,
        }
    }
    assert!(kept > 3_000 && lost > 3_000, "{kept} {lost}");
    assert_eq!(kept + lost, pushed);
}

#[test]
fn a_wait_ends_at_its_limit_or_with_the_last_message() {
    let (writer, receive) = writer();
    writer.push(entry("one"));
    let handle = SinkHandle(Some(Arc::clone(&writer)));
    handle.flush(Duration::from_millis(1));
    assert_eq!(writer.lock().popped, 0, "nobody took it");
    let reader = std::thread::spawn(move || receive.iter().collect::<Vec<_>>());
    handle.flush(Duration::from_secs(10));
    assert_eq!(writer.lock().popped, 1);
    writer.push(entry("two\nlines"));
    handle.close(Duration::from_secs(10));
    assert!(writer.lock().is_over);
    assert_eq!(reader.join().unwrap(), ["WARN one", r"WARN two\nlines"]);
}

#[test]
fn a_logger_that_panics_gets_the_next_message() {
    let (send, receive) = mpsc::channel();
    let logger = move |_: Level, message: &str| {
        assert_ne!(message, "bad");
        let _ = send.send(message.to_owned());
    };
    let writer = Writer::start(&LogSettings::default(), Some(SharedLogger(Arc::new(logger))), || {}).unwrap();
    writer.push(entry("bad"));
    writer.push(entry("good"));
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
    let writer = Writer::start(&LogSettings::default(), Some(SharedLogger(Arc::new(logger))), || {}).unwrap();
    writer.push(entry("from outside"));
    SinkHandle(Some(writer)).close(Duration::from_secs(10));
    assert_eq!(receive.iter().collect::<Vec<_>>(), ["from outside"]);
}
