//! Methods of traits, and native async in traits.

use std::fmt::{self, Display};
use std::future::{Future, ready as at_once};

use dd_traced::traced;

use crate::support::{Failed, pause, ready, spans_of};

trait Load {
    const LIMIT: u8;
    type Item;

    fn load(&self) -> Result<u8, Failed>;

    #[traced]
    fn load_twice(&self) -> Result<u8, Failed> {
        Ok(self.load()? + self.load()?)
    }

    #[traced]
    fn limit() -> u8
    where
        Self: Sized,
    {
        Self::LIMIT
    }

    #[traced]
    fn by_value(self) -> Self
    where
        Self: Sized,
    {
        self
    }

    fn item(&self) -> Self::Item;

    fn later(&self) -> impl Future<Output = u8> + Send;

    #[traced]
    fn later_by_default(&self) -> impl Future<Output = u8> {
        at_once(1)
    }
}

impl Load for u8 {
    const LIMIT: u8 = 9;
    type Item = [u8; 2];

    #[traced("load")]
    fn load(&self) -> Result<u8, Failed> {
        self.checked_add(1).ok_or(Failed("full"))
    }

    #[traced]
    fn item(&self) -> Self::Item {
        [*self; 2]
    }

    #[traced]
    async fn later(&self) -> u8 {
        pause().await;
        *self
    }
}

trait Store {
    async fn put(&mut self, item: u8) -> Result<usize, Failed>;

    #[traced]
    async fn put_twice(&mut self, item: u8) -> Result<usize, Failed> {
        self.put(item).await?;
        self.put(item).await
    }

    #[traced]
    async fn count(&self) -> usize {
        pause().await;
        0
    }
}

impl Store for Vec<u8> {
    #[traced]
    async fn put(&mut self, item: u8) -> Result<usize, Failed> {
        pause().await;
        if item == 0 {
            return Err(Failed("zero"));
        }
        self.push(item);
        Ok(self.len())
    }
}

#[traced]
trait Named {
    fn name(&self) -> String;

    fn greeting(&self) -> String {
        format!("hello {}", self.name())
    }

    async fn later(&self) -> String
    where
        Self: Sync,
    {
        pause().await;
        self.name()
    }
}

struct Text(&'static str);

#[traced]
impl Named for Text {
    fn name(&self) -> String {
        self.0.to_owned()
    }
}

#[traced]
impl Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Iterator for Text {
    type Item = char;

    #[traced]
    fn next(&mut self) -> Option<char> {
        let first = self.0.chars().next()?;
        self.0 = &self.0[first.len_utf8()..];
        Some(first)
    }
}

impl Drop for Text {
    #[traced("text.drop")]
    fn drop(&mut self) {
        self.0 = "";
    }
}

impl From<&'static str> for Text {
    #[traced]
    fn from(text: &'static str) -> Self {
        Self(text)
    }
}

impl TryFrom<u8> for Text {
    type Error = Failed;

    #[traced]
    fn try_from(number: u8) -> Result<Self, Self::Error> {
        if number == 0 { Ok(Self("zero")) } else { Err(Failed("not zero")) }
    }
}

#[test]
fn values_are_unchanged() {
    let spans = spans_of(|| {
        assert_eq!(1_u8.load_twice(), Ok(4));
        assert_eq!(u8::limit(), 9);
        assert_eq!(1_u8.by_value(), 1);
        assert_eq!(1_u8.item(), [1, 1]);
        assert_eq!(ready(Load::later(&5_u8)), 5);
        assert_eq!(ready(5_u8.later_by_default()), 1);
        let mut list = vec![];
        assert_eq!(ready(list.put_twice(1)), Ok(2));
        assert_eq!(ready(list.put(0)), Err(Failed("zero")));
        assert_eq!(ready(Store::count(&list)), 0);
    });
    assert_eq!(spans, 13);
}

#[test]
fn traits_of_std_can_be_implemented() {
    let spans = spans_of(|| {
        let mut text = Text::from("ab");
        assert_eq!(text.greeting(), "hello ab");
        assert_eq!(ready(Named::later(&text)), "ab");
        assert_eq!(text.to_string(), "ab");
        assert_eq!(text.next(), Some('a'));
        drop(text);
        assert!(Text::try_from(1).is_err());
        assert_eq!(Text::try_from(0).map(|text| text.0), Ok("zero"));
    });
    assert_eq!(spans, 11);
}
