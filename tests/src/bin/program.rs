//! A program that traces, for tests that need a process of their own: `program ACT [NUMBER]`. It prints one line of JSON.

#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, clippy::expect_used, clippy::panic, reason = "a program for tests")]

mod exchange;
mod story;

use std::cell::RefCell;
use std::panic::{catch_unwind, set_hook};
use std::thread;
use std::time::{Duration, Instant};

use dd_traced::testing::ScopedTracer;
use dd_traced::{DropReason, TraceFuture, Tracer, active_span, dd_format, span, traced};
use dd_traced_tests::Report;

/// More than any act takes, less than a test waits.
const LONG: Duration = Duration::from_secs(10);
/// For a million spans, in a build for tests.
const FOR_MANY: Duration = Duration::from_secs(60);

fn main() {
    let mut report = Report::default();
    // Counted before anything else runs: nothing may have been started before `main`.
    report.note("threads at start", threads());
    let mut arguments = std::env::args().skip(1);
    let act = arguments.next().expect("an act");
    let number = arguments.next().map_or(1, |text| text.parse().expect("a number"));
    match act.as_str() {
        "nothing" => {}
        "start" => report.timed("init", || std::mem::forget(dd_traced::init())),
        "work" => work(&mut report, number),
        "rest" => rest(&mut report, number),
        "burst" => burst(&mut report, number),
        "exit" => exit(number),
        "panic" => fall(number),
        "init often" => init_often(&mut report, number),
        "without tracer" => without_tracer(&mut report, number),
        "scoped" => scoped(&mut report, number),
        "start again" => start_again(&mut report, number),
        "flood" => flood(&mut report, number),
        "many tags" => many_tags(number),
        "long lines" => long_lines(number),
        "flushes" => flushes(&mut report, number),
        "lost contexts" => lost_contexts(number),
        "abandoned" => abandoned(),
        "open handles" => open_handles(&mut report, number),
        "open futures" => open_futures(number),
        "open calls" => open_calls(number),
        "open tags" => open_tags(&mut report, number),
        "open small tags" => open_small_tags(&mut report, number),
        "open tagged calls" => open_tagged_calls(&mut report, number),
        "fork open" => fork_open(&mut report, number, false),
        "fork drop" => fork_open(&mut report, number, true),
        "in tokio" => in_tokio(&mut report, number),
        "fork" => fork_once(&mut report, number),
        "no descriptors" => no_descriptors(&mut report, number),
        "no threads" => no_threads(&mut report, number),
        "panic hook" => panic_hook(&mut report, number),
        "thread locals" => thread_locals(number),
        "log lines" => log_lines(),
        "continues" => continues(number, arguments),
        "reject" => reject(),
        "settings" => print!("{}", dd_traced::init().settings()),
        "secrets" => secrets(),
        "exchange" => return exchange::exchange(),
        "story" => story::story(),
        other => panic!("no such act: {other}"),
    }
    report.books = dd_traced::counters().into();
    println!("{}", serde_json::to_string(&report).expect("a report is JSON"));
}

/// One trace of two spans.
#[traced(name = "job", resource = "the daily job")]
fn job(number: u64) {
    active_span().set_tag("number", number);
    part();
}

#[traced(name = "part")]
fn part() {}

/// Tasks of Tokio that forget their context, that carry it, that have none on purpose.
fn lost_contexts(number: u64) {
    let _tracer = dd_traced::init();
    let mut workers = tokio::runtime::Builder::new_multi_thread();
    let runtime = workers.worker_threads(2).thread_name("orders").build().expect("a runtime");
    runtime.block_on(async {
        for _ in 0..number {
            let order = async {
                let _ = tokio::spawn(forgotten()).await;
                let _ = tokio::spawn(forgotten_with(1)).await;
                let _ = tokio::spawn(told().carried()).await;
                let _ = tokio::spawn(meant()).await;
                let _ = tokio::spawn(meant_with(1)).await;
            };
            order.traced(span("order").start()).await;
        }
        told().await;
    });
    let one_thread = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    one_thread.block_on(async {
        let _ = tokio::spawn(forgotten_on_one_thread()).await;
        told().await;
    });
}

#[traced]
async fn forgotten() {}

#[traced]
async fn forgotten_on_one_thread() {}

#[traced(tags(item))]
fn forgotten_with(item: u64) -> impl Future<Output = u64> {
    async move { item }
}

#[traced]
async fn told() {}

#[traced(root)]
async fn meant() {}

#[traced(root, tags(item))]
async fn meant_with(item: u64) {}

/// So many spans at a time under one, and again after they have finished; then a trace.
fn open_handles(report: &mut Report, number: u64) {
    let tracer = dd_traced::init();
    let root = span("root").start();
    let active = root.activate();
    for round in 1..=2 {
        let spans: Vec<_> = (0..number).map(|_| span("part").start()).collect();
        let unrecorded = spans.iter().filter(|span| !span.is_recording()).count();
        report.note(&format!("unrecorded {round}"), unrecorded as u64);
        let last = &spans[spans.len() - 1];
        let _active = last.activate();
        let is_under_root = active_span().span_id() == root.span_id();
        report.note(&format!("root is active {round}"), u64::from(is_under_root && !last.is_recording()));
        job(1);
    }
    drop((active, root));
    job(2);
    report.note("recording", u64::from(span("again").start().is_recording()));
    tracer.shutdown(FOR_MANY);
}

/// So many futures with spans, all under one, which is under way.
fn open_futures(number: u64) {
    let tracer = dd_traced::init();
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let mut parent = Box::pin(parent(number));
    let _ = parent.as_mut().poll(&mut context);
    drop(parent);
    job(1);
    tracer.shutdown(FOR_MANY);
}

#[traced]
async fn parent(number: u64) {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let mut futures: Vec<_> = (0..number).map(|_| Box::pin(waiting())).collect();
    for future in &mut futures {
        let _ = future.as_mut().poll(&mut context);
    }
    std::future::pending::<()>().await;
    drop(futures);
}

#[traced]
async fn waiting() {
    std::future::pending::<()>().await;
}

/// A function that calls itself so many times, on a stack that is large enough; twice.
fn open_calls(number: u64) {
    #[traced]
    fn deeper(number: u64) {
        if number > 1 {
            deeper(number - 1);
        }
    }
    let tracer = dd_traced::init();
    let calls = move || (0..2).for_each(|_| deeper(number));
    let thread = thread::Builder::new().stack_size(1 << 30).spawn(calls).expect("a thread");
    thread.join().expect("no panic");
    job(1);
    tracer.shutdown(FOR_MANY);
}

/// The value of a tag of 8 KiB.
fn large() -> String {
    "x".repeat(8 << 10)
}

/// So many spans at a time with a large tag each, and again after they have finished; each time one that was open before gets many more.
fn open_tags(report: &mut Report, number: u64) {
    let _tracer = dd_traced::init();
    let large = large();
    for round in 1..=2 {
        let (early, before) = (span("early").start(), peak_kib());
        let spans: Vec<_> = (0..number).map(|_| span("part").tag("large", large.as_str()).start()).collect();
        let unrecorded = spans.iter().filter(|span| !span.is_recording()).count();
        report.note(&format!("unrecorded {round}"), unrecorded as u64);
        let left_out = || dd_traced::counters().left_out_tags();
        report.note(&format!("left out before {round}"), left_out());
        (0..120).for_each(|key| early.set_tag(format!("early.{key:03}"), large.as_str()));
        (0..number).for_each(|_| early.set_tag("large", large.as_str()));
        report.note(&format!("left out {round}"), left_out());
        report.note(&format!("grown by KiB {round}"), peak_kib() - before);
    }
    let again = span("again").tag("large", large.as_str()).start();
    report.note("recording", u64::from(again.is_recording()));
}

/// So many spans by hand that are open at a time, each with a tag of 200 bytes.
fn open_small_tags(report: &mut Report, number: u64) {
    let _tracer = dd_traced::init();
    let small = "x".repeat(200);
    let spans: Vec<_> = (0..number).map(|_| span("part").tag("small", small.as_str()).start()).collect();
    report.note("unrecorded", spans.iter().filter(|span| !span.is_recording()).count() as u64);
    report.note("left out", dd_traced::counters().left_out_tags());
    drop(spans);
    let again = span("again").tag("small", small.as_str()).start();
    report.note("recording", u64::from(again.is_recording()));
}

/// A function that calls itself so many times, with a large tag each, on a stack that is large enough; twice.
fn open_tagged_calls(report: &mut Report, number: u64) {
    #[traced(tags(large = large))]
    fn deeper(number: u64, large: &str) -> u64 {
        if number > 1 { deeper(number - 1, large) } else { peak_kib() }
    }
    let _tracer = dd_traced::init();
    let before = peak_kib();
    let calls = move || [deeper(number, &large()), deeper(number, &large())];
    let thread = thread::Builder::new().stack_size(1 << 30).spawn(calls).expect("a thread");
    let [all_open, _] = thread.join().expect("no panic");
    report.note("grown by KiB", all_open - before);
    report.note("grown by KiB in all", peak_kib() - before);
    report.note("left out", dd_traced::counters().left_out_tags());
    let span = span("again").start();
    (0..100).for_each(|key| span.set_tag(format!("key.{key}"), large()));
    report.note("left out again", dd_traced::counters().left_out_tags());
}

/// A child whose parent has more than half of what may be open, and that starts as much. It prints its own line before its parent does.
fn fork_open(report: &mut Report, number: u64, drops: bool) {
    let large = large();
    let open = || -> Vec<_> {
        let tagged = (0..number / 64).map(|_| span("part").tag("large", large.as_str()).start());
        tagged.chain((0..number).map(|_| span("part").start())).collect()
    };
    let _tracer = dd_traced::init();
    let of_parent = open();
    let is_child = match fork::fork().expect("a child") {
        fork::Fork::Parent(child) => {
            let status = fork::waitpid(child).expect("the child's end");
            report.note("status of the child", u64::try_from(status).expect("no signal"));
            false
        }
        fork::Fork::Child => true,
    };
    let own = is_child.then(|| Tracer::builder().service("child").start().expect("a tracer"));
    let spans = if is_child {
        if drops {
            drop(of_parent);
        }
        open()
    } else {
        of_parent
    };
    report.note("recording", spans.iter().filter(|span| span.is_recording()).count() as u64);
    report.note("one more", u64::from(open().iter().all(dd_traced::Span::is_recording)));
    std::mem::forget(spans);
    drop(own);
}

/// Spans that do not finish, of a tracer that is started twice.
fn abandoned() {
    let tracer = dd_traced::init();
    let early = span("never\nfinished").start();
    std::mem::forget(span("leaked").start());
    jobs(3);
    tracer.shutdown(LONG);
    let tracer = dd_traced::init();
    std::mem::forget(span("again").start());
    early.finish();
    tracer.shutdown(LONG);
}

fn jobs(number: u64) {
    (0..number).for_each(job);
}

/// A span that carries what is not for everybody, and what a terminal would obey.
fn secrets() {
    let _tracer = dd_traced::init();
    let span = span("two\nlines \u{1b}[31m\u{202e}")
        .resource("GET /harmless-resource?access_token=s3cret&page=1")
        .start();
    span.set_tag("http.request.headers.authorization", "s3cret");
    span.set_tag("api_key", "s3cret");
    span.set_tag("http.url", "https://me:s3cret@shop.example/?token=s3cret");
    span.set_tag("note", "sent Authorization: Bearer s3cret");
    span.set_tag("twin", "harmless-tag, token=s3cret");
    span.set_error(&std::io::Error::other("harmless-error: no login with password=s3cret"));
    span.set_tag("forged\ndd-traced ERROR: no", "dd-traced ERROR:\r\nno");
}

/// What log lines of a span say, a line each.
fn log_lines() {
    let _tracer = dd_traced::init();
    let span = span("lines").start();
    let _active = span.activate();
    println!("{}", dd_format!("prefixed"));
    println!("{}", dd_format!("{dd.service}|{dd.env}|{dd.version}|{dd.span_id}"));
    println!("{}", dd_format!("{dd.trace_id}"));
}

/// Continues the trace that the headers `NAME: VALUE` name, and writes those of a call of its own, a line each; where `number` is not 0, once
/// it knows its organisation.
fn continues(number: u64, headers: impl Iterator<Item = String>) {
    let _tracer = dd_traced::init();
    let received: Vec<(String, String)> = headers
        .map(|line| {
            line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned())).expect("a header")
        })
        .collect();
    let deadline = Instant::now() + LONG;
    let mut sent = Vec::<(String, String)>::new();
    while Instant::now() < deadline {
        let caller = dd_traced::extract(&received);
        let mut request = span("request");
        if let Some(caller) = &caller {
            request = request.child_of(caller);
        }
        let request = request.start();
        {
            let _active = request.activate();
            job(1);
        }
        sent.clear();
        dd_traced::inject(&request, &mut sent);
        let is_known = sent.iter().any(|(_, value)| value.contains("_dd.p.opm=us"));
        if number == 0 || is_known {
            break;
        }
        thread::sleep(Duration::from_millis(10));
    }
    sent.sort();
    for (name, value) in sent {
        println!("{name}: {value}");
    }
}

/// The usual program.
fn work(report: &mut Report, number: u64) {
    let tracer = report.timed("init", dd_traced::init);
    report.timed("work", || jobs(number));
    report.note("threads at work", threads());
    report.timed("drop", || drop(tracer));
}

/// The usual program, once it is at rest with so many threads.
fn rest(report: &mut Report, number: u64) {
    let tracer = dd_traced::init();
    jobs(1);
    report.note("threads at rest", threads_once(number));
    drop(tracer);
}

/// Spans of 10 KiB, more than anyone can send at once.
fn burst(report: &mut Report, number: u64) {
    let tracer = dd_traced::init();
    let text = "x".repeat(10 << 10);
    report.timed("work", || {
        for _ in 0..number {
            span("burst").root().tag("text", text.as_str()).start().finish();
        }
    });
    report.timed("drop", || drop(tracer));
}

/// Ends without a chance to say goodbye.
fn exit(number: u64) {
    let _tracer = dd_traced::init();
    jobs(number);
    std::process::exit(3);
}

fn fall(number: u64) {
    let _tracer = dd_traced::init();
    jobs(number);
    let _open = span("falling").start();
    panic!("as told");
}

fn init_often(report: &mut Report, number: u64) {
    let first = dd_traced::init();
    let others: Vec<_> = (1..number).map(|_| dd_traced::init()).collect();
    jobs(1);
    drop(others);
    jobs(1);
    report.note("threads at work", threads());
    drop(first);
}

fn without_tracer(report: &mut Report, number: u64) {
    jobs(number);
    let early = span("early").start();
    let guard = early.activate();
    let tracer = dd_traced::init();
    jobs(number);
    drop(guard);
    early.finish();
    jobs(number);
    let late = span("late").start();
    let guard = late.activate();
    tracer.shutdown(LONG);
    jobs(number);
    drop(guard);
    late.finish();
    report.note("flushed after shutdown", u64::from(dd_traced::flush(LONG)));
}

/// A thread's own tracer while that of the process comes and goes.
fn scoped(report: &mut Report, number: u64) {
    let scope = ScopedTracer::new();
    let seen = |scope: &ScopedTracer| {
        let before = scope.finished().len();
        jobs(number);
        (scope.finished().len() - before) as u64
    };
    let tracer = dd_traced::init();
    report.note("beside a tracer", seen(&scope));
    drop(tracer);
    report.note("after its end", seen(&scope));
    let disabled = Tracer::builder().enabled(false).start().expect("a tracer");
    report.note("beside a disabled one", seen(&scope));
    drop(scope);
    jobs(number);
    drop(disabled);
}

fn start_again(report: &mut Report, number: u64) {
    for round in 0..number {
        let tracer = Tracer::builder().service(format!("round-{round}")).start().expect("a tracer");
        assert!(Tracer::builder().start().is_err(), "one at a time");
        job(round);
        tracer.shutdown(LONG);
    }
    // A worker answers before its thread has ended, and nobody joins it.
    report.note("threads at end", threads_once(1));
}

/// Messages of the library from this thread, as fast as it can; goes on at a line on stdin.
fn flood(report: &mut Report, number: u64) {
    let tracer = dd_traced::init();
    let before = peak_kib();
    report.timed("flood", || {
        for _ in 0..number {
            dd_traced::extract(&[("traceparent".to_owned(), "00-7".to_owned())].to_vec());
        }
    });
    report.note("grown by KiB", peak_kib() - before);
    println!("flooded");
    std::io::stdin().read_line(&mut String::new()).expect("a line");
    drop(tracer);
}

/// The most memory that this process had so far.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or(0)
}

/// A trace that the program does not want.
fn reject() {
    let _tracer = dd_traced::init();
    span("rejected").start().reject();
}

/// A span with so many tags.
fn many_tags(number: u64) {
    let _tracer = dd_traced::init();
    let span = span("tagged").start();
    (0..number).for_each(|index| span.set_tag(format!("tag {index}"), index));
}

/// Spans whose lines in the debug log are longer than what a pipe takes at once.
fn long_lines(number: u64) {
    let _tracer = dd_traced::init();
    for _ in 0..number {
        let span = span("long").start();
        (0..20).for_each(|index| span.set_tag(format!("tag {index}"), "x".repeat(500)));
    }
}

/// Flushes that can not succeed.
fn flushes(report: &mut Report, number: u64) {
    let tracer = dd_traced::init();
    for round in 0..number {
        job(round);
        report.timed("flush", || tracer.flush(Duration::from_millis(300)));
    }
    report.timed("drop", || drop(tracer));
}

/// A child that goes on without a tracer, and then starts its own. It prints its own line before its parent does.
fn fork_once(report: &mut Report, number: u64) {
    let tracer = dd_traced::init();
    jobs(number);
    match fork::fork().expect("a child") {
        fork::Fork::Parent(child) => {
            let status = fork::waitpid(child).expect("the child's end");
            report.note("status of the child", u64::try_from(status).expect("no signal"));
            jobs(number);
            drop(tracer);
        }
        fork::Fork::Child => {
            report.timed("first call", || jobs(1));
            jobs(1_000);
            report.note("flushed by the child", u64::from(tracer.flush(LONG)));
            let orphaned = dd_traced::counters().dropped(DropReason::Forked);
            report.note("forked", orphaned);
            let own = report.timed("start", || Tracer::builder().service("child").start().expect("a tracer"));
            drop(tracer);
            jobs(number);
            report.note("flushed by its own", u64::from(own.flush(LONG)));
            drop(own);
        }
    }
}

/// A flush while there is no file descriptor left, and one afterwards.
fn no_descriptors(report: &mut Report, number: u64) {
    let tracer = dd_traced::init();
    // From here on the worker is at rest, and opens nothing.
    tracer.flush(LONG);
    let all: Vec<_> = std::iter::from_fn(|| std::fs::File::open("/dev/null").ok()).collect();
    jobs(number);
    report.note("flushed without", u64::from(tracer.flush(LONG)));
    drop(all);
    jobs(number);
    report.note("flushed with", u64::from(tracer.flush(LONG)));
}

/// Where memory is limited, there is none for the stack of a thread while all but a little of it is taken.
fn no_threads(report: &mut Report, number: u64) {
    let part = || {
        let mut part = Vec::<u8>::new();
        part.try_reserve_exact(1 << 20).is_ok().then_some(part)
    };
    let mut all: Vec<_> = std::iter::from_fn(part).collect();
    all.pop();
    let tracer = report.timed("init", dd_traced::init);
    report.timed("work", || jobs(number));
    let is_sent = report.timed("flush", || tracer.flush(LONG));
    report.note("flushed without", u64::from(is_sent));
    drop(all);
    jobs(number);
    report.note("flushed with", u64::from(tracer.flush(LONG)));
}

fn in_tokio(report: &mut Report, number: u64) {
    let current = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let many = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
    for (name, runtime) in [("current thread", current), ("many threads", many)] {
        runtime.block_on(async {
            let tracer = dd_traced::init();
            let tasks: Vec<_> = (0..number).map(|task| tokio::spawn(async move { job(task) })).collect();
            for task in tasks {
                task.await.expect("a task");
            }
            report.timed("flush", || tracer.flush(LONG));
            report.timed(name, || drop(tracer));
        });
    }
}

fn panic_hook(report: &mut Report, number: u64) {
    let tracer = dd_traced::init();
    set_hook(Box::new(|_| {
        dd_traced::flush(LONG);
        dd_traced::shutdown(LONG);
    }));
    jobs(number);
    report.timed("panic", || catch_unwind(|| panic!("as told")).expect_err("a panic"));
    drop(tracer);
}

/// Spans of threads that are at their end already.
fn thread_locals(number: u64) {
    struct Late;
    impl Drop for Late {
        fn drop(&mut self) {
            job(0);
            span("late").start().finish();
        }
    }
    thread_local! {
        static LATE: RefCell<Option<Late>> = const { RefCell::new(None) };
    }
    let tracer = dd_traced::init();
    for round in 0..number {
        let ended = thread::spawn(move || {
            if round % 2 == 0 {
                job(round);
            }
            LATE.set(Some(Late));
            if round % 2 == 1 {
                job(round);
            }
        });
        ended.join().expect("a thread that ends well");
    }
    drop(tracer);
}

/// The threads of this process, once they are that few.
fn threads_once(few: u64) -> u64 {
    let deadline = Instant::now() + LONG;
    while threads() > few && Instant::now() < deadline {
        thread::yield_now();
    }
    threads()
}

/// The threads of this process, as the system counts them.
fn threads() -> u64 {
    std::fs::read_dir("/proc/self/task").map_or(0, |tasks| tasks.count() as u64)
}
