use dd_traced::traced;

struct Shop;

#[traced("shop", resource = "all", tags(id))]
impl Shop {
    fn open() {}

    fn look() {}

    fn close(id: u8) {
        let _ = id;
    }

    #[traced(skip)]
    fn clean() {}
}

#[traced(skip)]
fn free() {}

fn main() {
    Shop::open();
    Shop::look();
    Shop::close(1);
    Shop::clean();
    free();
}
