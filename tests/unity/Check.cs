// Checks.

using System;

static class Check
{
    public static void That(bool condition, string what)
    {
        if (!condition) throw new Exception("not true: " + what);
    }

    public static void Equal<T>(T expected, T actual, string what)
    {
        if (!Equals(expected, actual)) throw new Exception(what + ": expected " + expected + ", but it is " + actual);
    }

    public static void Contains(string expected, string actual, string what)
    {
        That(actual != null && actual.Contains(expected), what + ": `" + expected + "` in `" + actual + "`");
    }

    public static T Throws<T>(Action code, string what) where T : Exception
    {
        try
        {
            code();
        }
        catch (T thrown)
        {
            return thrown;
        }
        throw new Exception(what + ": nothing was thrown");
    }
}
