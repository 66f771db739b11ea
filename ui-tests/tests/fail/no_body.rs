use dd_traced::traced;

trait Load {
    #[traced]
    fn load(&self);
}

fn main() {}
