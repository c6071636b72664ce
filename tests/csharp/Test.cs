using System;

/// <summary>A named test.</summary>
internal sealed class Test
{
    internal readonly string Name;
    internal readonly Action Body;

    internal Test(string name, Action body)
    {
        Name = name;
        Body = body;
    }
}

/// <summary>A failed check.</summary>
internal sealed class CheckFailed : Exception
{
    internal CheckFailed(string message)
        : base(message)
    {
    }
}

/// <summary>The test does not apply to this runtime.</summary>
internal sealed class Skipped : Exception
{
    internal Skipped(string reason)
        : base(reason)
    {
    }
}

/// <summary>Checks.</summary>
internal static class Check
{
    internal static void True(bool condition, string what)
    {
        if (!condition)
        {
            throw new CheckFailed("not true: " + what);
        }
    }

    internal static void Equal(object expected, object found, string what)
    {
        if (!Equals(expected, found))
        {
            throw new CheckFailed(what + ": expected " + Show(expected) + ", found " + Show(found));
        }
    }

    internal static void Contains(string part, string text, string what)
    {
        if (text == null || text.IndexOf(part, StringComparison.Ordinal) < 0)
        {
            throw new CheckFailed(what + ": expected " + Show(part) + " in " + Show(text));
        }
    }

    internal static void ContainsNot(string part, string text, string what)
    {
        if (text != null && text.IndexOf(part, StringComparison.Ordinal) >= 0)
        {
            throw new CheckFailed(what + ": there should be no " + Show(part) + " in " + Show(text));
        }
    }

    /// <summary>The action must throw exactly this type, not a derived one.</summary>
    internal static T Throws<T>(Action action, string what)
        where T : Exception
    {
        try
        {
            action();
        }
        catch (Exception e)
        {
            T expected = e as T;
            if (expected != null && e.GetType() == typeof(T))
            {
                return expected;
            }
            throw new CheckFailed(what + ": expected " + typeof(T).Name + ", found " + e);
        }
        throw new CheckFailed(what + ": expected " + typeof(T).Name + ", and nothing was thrown");
    }

    private static string Show(object value)
    {
        return value == null ? "null" : "\"" + value + "\"";
    }
}
