// Stand-ins for the parts of NUnit and the Unity Test Framework that the package's tests use.

using System;

namespace NUnit.Framework
{
    [AttributeUsage(AttributeTargets.Method)]
    public sealed class TestAttribute : Attribute { }
    [AttributeUsage(AttributeTargets.Method)]
    public sealed class SetUpAttribute : Attribute { }
    [AttributeUsage(AttributeTargets.Method)]
    public sealed class TearDownAttribute : Attribute { }

    public sealed class AssertionException : Exception
    {
        public AssertionException(string message) : base(message) { }
    }

    public delegate void TestDelegate();

    public static class Assert
    {
        public static void AreEqual(object expected, object actual)
        {
            if (!Equals(expected, actual)) throw new AssertionException("expected " + expected + ", but it is " + actual);
        }

        public static void IsTrue(bool condition, string message = null)
        {
            if (!condition) throw new AssertionException(message ?? "expected true");
        }

        public static void IsFalse(bool condition, string message = null) { IsTrue(!condition, message ?? "expected false"); }
        public static void IsNull(object value) { IsTrue(value == null, "expected null, but it is " + value); }
        public static void IsNotNull(object value) { IsTrue(value != null, "expected something, but it is null"); }

        public static T Throws<T>(TestDelegate code) where T : Exception
        {
            try
            {
                code();
            }
            catch (T thrown)
            {
                return thrown;
            }
            throw new AssertionException("expected " + typeof(T).Name + ", but nothing was thrown");
        }
    }

    public static class StringAssert
    {
        public static void Contains(string expected, string actual)
        {
            Assert.IsTrue(actual != null && actual.Contains(expected), "expected `" + expected + "` in `" + actual + "`");
        }
    }
}

namespace UnityEngine.TestTools
{
    [AttributeUsage(AttributeTargets.Method)]
    public sealed class UnityTestAttribute : Attribute { }
}
