use dd_traced::traced;

trait Load {
    #[traced]
    fn load(&self);
}

unsafe extern "C" {
    #[traced]
    fn foreign();
}

fn main() {}
